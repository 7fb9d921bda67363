import Bundle
import Files
import Integrity
import SystemPackage

/// What the bundle on the other side has, by content: files, and blobs of images.
public struct DeltaBase: Sendable {
  /// Which bundle it is.
  public let identity: BundleIdentity
  /// The archives whose blobs nobody knows; images that changed since are carried whole where these would have their blobs.
  public private(set) var unknown: [BundlePath] = []
  /// The files that are damaged there, where that is known.
  let damaged: [BundlePath]?
  let files: Set<Digest>
  /// An archive that has a blob.
  private(set) var blobs: [Digest: BundlePath] = [:]

  /// A base.
  ///
  /// - Parameters:
  ///   - manifest: Its manifest, or its inventory.
  ///   - folder: The folder of the bundle, where it is on this machine: the blobs that the manifest does not list are
  ///     looked up there.
  ///   - damaged: Files that it no longer has intact, when that is to be healed.
  /// - Throws: ``DeltaError`` or `FileError` when an archive in the folder cannot be read.
  public init(_ manifest: Manifest, in folder: FilePath? = nil, damaged: [BundlePath]? = nil) throws {
    identity = BundleIdentity(manifest)
    self.damaged = damaged
    let lost = Set(damaged ?? [])
    files = Set(manifest.files.filter { !lost.contains($0.path) }.map(\.sha256))
    let bundle = folder.map { HeldBundle($0, manifest) }
    for file in manifest.files where !lost.contains(file.path) {
      guard let image = file.image else { continue }
      let blobs = try image.blobs ?? bundle.flatMap { try $0.blobs(of: file) }
      guard let blobs else {
        unknown.append(file.path)
        continue
      }
      for blob in blobs where self.blobs[blob] == nil { self.blobs[blob] = file.path }
    }
  }
}

extension HeldBundle {
  /// The blobs in the archive of an image; `nil` when it cannot be read in parts.
  func blobs(of file: ManifestFile) throws -> [Digest]? {
    try withArchive(file) { try TarSegments.of($0).compactMap(\.blob) }
  }
}

extension Manifest {
  /// The manifest with the blobs of each image, as they lie in the archives in the folder: what a delta is made for, where
  /// the manifest itself does not say them. It has no signature, since it is another text.
  ///
  /// - Throws: `DeltaError` or `FileError` when an archive cannot be read.
  public func inventory(of folder: FilePath) throws -> Manifest {
    var inventory = self
    let bundle = HeldBundle(folder, self)
    for index in files.indices where files[index].image?.blobs == nil && files[index].image != nil {
      inventory.files[index].image?.blobs = try bundle.blobs(of: files[index])
    }
    return inventory
  }
}
