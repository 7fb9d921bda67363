import Archive
import Bundle
import Concurrency
import Files
import Host
import Integrity
import Mirrors
import Registry
import Settings
import SystemPackage

/// Writes folders as layers of an image.
struct LayerWriter: Sendable {
  /// Where the layers are written.
  let work: FilePath

  /// Packs a folder, whose content is to lie at the root of the image.
  ///
  /// - Parameter createdBy: What the image's history says of it.
  /// - Throws: `ArchiveError`, `Errno` or `CancellationError`.
  func layer(
    of folder: FilePath, _ title: String, createdBy: String
  ) async throws -> (layer: AddedLayer, place: FilePath) {
    let place = work.appending("\(title).tar.gz")
    return try await offload { () throws in
      try ArchiveWriter.tarball(of: folder, as: place, prefix: "", excluding: [], modified: 0)
      var hasher = DigestHasher(.sha256)
      try ArchiveReader.decompress(place) { hasher.update($0) }
      guard let size = FileInfo(regularFile: place)?.size else { throw Errno.noSuchFileOrDirectory }
      let descriptor = Descriptor(mediaType: .ociLayerGzip, digest: try Digest(ofFile: place), size: size)
      return (AddedLayer(descriptor: descriptor, diffID: hasher.finalize(), createdBy: createdBy), place)
    }
  }
}

/// A virtual environment (PEP 405) with kubespray's requirements, for the Python of an image: written, not made by that
/// Python, which cannot run here.
struct AnsibleFolder: Sendable {
  /// Its place in the image.
  static let place = "/opt/ansible"

  /// The path of the Python in the image.
  let interpreter: String
  /// The minor version of that Python 3.
  let minor: Int
  /// The architecture of the image.
  let architecture: Architecture

  /// Installs the requirements below a folder as they are to lie in the image.
  ///
  /// - Parameter wheels: The folder with the wheels; an absolute path.
  /// - Throws: ``PythonIndexError``, `CommandError` or `Errno`.
  func make(
    of requirements: FilePath, _ index: PythonIndex, glibcMinor: Int, wheels: FilePath, in work: FilePath
  ) async throws -> (folder: FilePath, names: [String]) {
    let root = work.appending("requirements")
    let environment = root.appending(FilePath(Self.place).components)
    let library = environment.appending("lib/python3.\(minor)")
    try createDirectories(library)
    let packages = library.appending("site-packages")
    let names = try await index.install(
      requirements, python: minor, on: architecture, glibcMinor: glibcMinor, from: wheels,
      runBy: "\(Self.place)/bin/python3", into: packages)
    // What pip puts beside the packages belongs beside lib/.
    for name in ["bin", "share", "etc", "include"]
    where fileExists(packages.appending(name)) {
      try moveFile(packages.appending(name), to: environment.appending(name))
    }
    try createDirectories(environment.appending("bin"))
    let home = FilePath(interpreter).removingLastComponent()
    let settings = "home = \(home)\ninclude-system-site-packages = false\nversion = 3.\(minor)\n"
    try writeAtomically(Array(settings.utf8), to: environment.appending("pyvenv.cfg"), isDurable: false)
    // Relative, since links of a layer may not leave it: from opt/ansible/bin to the root.
    try createLink(environment.appending("bin/python3"), to: "../../..\(interpreter)")
    try createLink(environment.appending("bin/python"), to: "python3")
    return (root, names)
  }
}

/// Packages that were unpacked into a folder, on their way into a layer.
struct PackageFolder {
  private let folder: FilePath

  init(_ folder: FilePath) { self.folder = folder }

  /// Leaves out what nobody reads in a container, and puts what lies in `lib` where the base has it: as a folder in a
  /// layer it would hide the base's link of that name, with all that is behind.
  ///
  /// - Throws: ``FileError``.
  func adapt(to base: BaseContents) throws {
    for name in ["doc", "man", "info", "lintian", "locale", "bug"] {
      try removeTree(folder.appending("usr/share/\(name)"))
    }
    for name in try listFolder(folder).sorted() {
      guard let place = base.mergedFolder(name) else { continue }
      try merge(folder.appending(name), into: folder.appending(FilePath(place).components))
    }
    try removeLinksOut(folder)
  }

  private func merge(_ source: FilePath, into destination: FilePath) throws {
    try createDirectories(destination)
    for name in try listFolder(source).sorted() {
      let (from, to) = (source.appending(name), destination.appending(name))
      if folderExists(to) {
        try merge(from, into: to)
      } else {
        try moveFile(from, to: to)
      }
    }
    try removeTree(source)
  }

  /// Makes absolute links relative, as a layer's must be.
  private func removeLinksOut(_ top: FilePath, depth: Int = 0) throws {
    for name in try listFolder(top) {
      let path = top.appending(name)
      let kind = try FileInfo(path).kind
      if kind == .folder { try removeLinksOut(path, depth: depth + 1) }
      guard kind == .link else { continue }
      let target = try linkTarget(path)
      guard target.hasPrefix("/") else { continue }
      try removeFile(path)
      let way = String(repeating: "../", count: depth) + target.drop { $0 == "/" }
      try createLink(path, to: way)
    }
  }
}
