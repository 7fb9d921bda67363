import Bundle
import Files
import Integrity
import SystemPackage

/// A bundle on this machine: its files are opened when its manifest lists them, beneath its folder and through no link, and
/// what is read of them counts when it was hashed.
struct HeldBundle: Sendable {
  let folder: FilePath
  let manifest: Manifest
  private let index: ManifestIndex
  private let lacking: Set<BundlePath>

  /// - Parameter lacking: Files that are known to be damaged: they are not there.
  init(_ folder: FilePath, _ manifest: Manifest, lacking: Set<BundlePath> = []) {
    self.folder = folder
    self.manifest = manifest
    self.lacking = lacking
    index = ManifestIndex(manifest.files, findsContent: true)
  }

  /// The file of a path.
  func file(_ path: BundlePath) -> ManifestFile? { lacking.contains(path) ? nil : index.file(path) }

  /// A file with a content: that of the same path, where it has one.
  func file(of digest: Digest, preferring path: BundlePath) -> ManifestFile? {
    if let file = file(path), file.sha256 == digest { return file }
    return index.files(of: digest).first { !lacking.contains($0.path) }
  }

  /// Where a file lies, for messages.
  func place(_ path: BundlePath) -> FilePath { folder.appending(FilePath(path.description).components) }

  /// Opens a file of the bundle.
  ///
  /// - Throws: ``DeltaError/bundleDamaged(_:how:)`` when it is not there, is a link, or has another size.
  func open(_ file: ManifestFile) throws(DeltaError) -> FileDescriptor {
    try openProved(FilePath(file.path.description), beneath: folder, size: file.size) {
      .bundleDamaged($0, how: $1)
    }
  }

  /// Opens the archive of an image to read parts of it; `nil` when it is not one that only stores.
  ///
  /// - Parameter isWanted: Whether most of it is read soon.
  /// - Throws: ``DeltaError``, `FileError`, or what `body` throws.
  func withArchive<T>(
    _ file: ManifestFile, isWanted: Bool = false, _ body: (StoredArchive) throws -> T
  ) throws -> T? {
    let descriptor = try open(file)
    defer { try? descriptor.close() }
    return try StoredArchive(descriptor, place(file.path), isWanted: isWanted).map(body)
  }
}

/// Opens a file below a folder, through no link, that must have a size.
///
/// - Parameter damaged: The error for what is not as it should be: the path, and how.
/// - Throws: What `damaged` makes.
func openProved(
  _ path: FilePath, beneath folder: FilePath, size: Int64,
  _ damaged: (FilePath, String) -> DeltaError
) throws(DeltaError) -> FileDescriptor {
  let place = folder.appending(path.components)
  let descriptor: FileDescriptor
  do {
    descriptor = try openFile(path, beneath: folder)
  } catch {
    let how =
      switch error.code {
      case .noSuchFileOrDirectory: "it is missing"
      case .tooManySymbolicLinkLevels: "it is a link, or lies behind one, so it is not opened"
      case .notSupported: "it is not a file"
      default: "it cannot be read: \(error.code)"
      }
    throw damaged(place, how)
  }
  let found = (try? FileInfo(descriptor))?.size ?? -1
  guard found == size else {
    try? descriptor.close()
    throw damaged(place, "it has \(found) bytes instead of \(size)")
  }
  return descriptor
}

/// Reads an open file from its start to its end in pieces of at most 256 KiB, which the processor still has at hand when
/// they are hashed and written.
///
/// - Throws: `FileError`, or what `body` throws.
func readWhole(
  _ descriptor: FileDescriptor, _ path: FilePath, _ body: (UnsafeRawBufferPointer) throws -> Void
) throws {
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
  defer { buffer.deallocate() }
  var offset: Int64 = 0
  var ahead = AheadReading(descriptor)
  while true {
    ahead.reach(offset)
    let count = try FileError.naming(.read, path) {
      try descriptor.read(fromAbsoluteOffset: offset, into: buffer)
    }
    if count == 0 { return }
    offset += Int64(count)
    try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
  }
}

/// Has the disk read what comes next of a file while what came before is worked on: what is hashed would leave it idle.
struct AheadReading {
  private let descriptor: FileDescriptor
  /// Up to where it was told to read.
  private var told: Int64 = 0
  /// How much it is told at a time.
  private static let step: Int64 = 4 << 20

  init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

  /// Tells it, now that a place is reached.
  mutating func reach(_ place: Int64) {
    while told < place + Self.step {
      readAhead(descriptor, told..<told + Self.step)
      told += Self.step
    }
  }
}
