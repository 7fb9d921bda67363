import Archive
import SystemPackage

/// What of kubespray's own data is read straight out of its tarball.
struct KubesprayTarball: Sendable {
  /// Every checksum that it knows (`checksums.yml`), in hexadecimal.
  private(set) var checksums: Set<String> = []
  /// The text of `download.yml`, which has the templates of all URLs; empty when there is none.
  private(set) var downloads = ""

  /// Reads all of the tarball, which so is proved to have its end.
  ///
  /// - Throws: `ArchiveError` or `CancellationError`.
  init(_ path: FilePath) throws {
    var found: Set<String> = []
    var downloads = ""
    try ArchiveReader.visit(path) { entry, content in
      guard entry.kind == .file, entry.size < 16 << 20 else { return .next }
      // The folder of the role was called kubespray-defaults before 2.29.
      if entry.path.hasSuffix("/checksums.yml") {
        found.formUnion(Self.digests(try content.bytes(limit: 16 << 20)))
      } else if entry.path.hasSuffix("defaults/defaults/main/download.yml") {
        downloads = String(decoding: try content.bytes(limit: 16 << 20), as: UTF8.self)
      }
      return .next
    }
    checksums = found
    self.downloads = downloads
  }

  /// The words of 64 or 128 hexadecimal digits in a text.
  private static func digests(_ bytes: [UInt8]) -> Set<String> {
    var found: Set<String> = []
    for word in bytes.split(whereSeparator: { byte in
      !((0x30...0x39).contains(byte) || (0x61...0x66).contains(byte))
    }) where word.count == 64 || word.count == 128 {
      found.insert(String(decoding: word, as: UTF8.self))
    }
    return found
  }
}
