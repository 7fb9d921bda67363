import Files
import Integrity
import SystemPackage

/// The id that git gives to a tree of files, in its SHA-256 format.
///
/// It is a digest of content, names, the right to execute, and targets of links, and of nothing else: neither of times
/// nor of how a tarball was packed. Anybody can compute it: `git init --object-format=sha256; git add --all --force;
/// git write-tree`. Source: Git's hash-function-transition, and gitformat of objects ("blob" and "tree").
enum GitTree {
  /// The id of what lies in a folder. Folders with nothing in them do not count, as for git.
  ///
  /// - Throws: `FileError`.
  static func id(of folder: FilePath) throws -> Digest { try tree(folder) ?? object("tree", []) }

  /// `nil` for a folder without files.
  private static func tree(_ folder: FilePath) throws -> Digest? {
    var entries: [(key: [UInt8], bytes: [UInt8])] = []
    for name in try listFolder(folder) {
      guard let (mode, id) = try entry(folder.appending(name)) else { continue }
      // Git sorts folders as if their names ended with a slash.
      let key = Array(name.utf8) + (mode == "40000" ? [UInt8(ascii: "/")] : [])
      entries.append((key, Array("\(mode) \(name)".utf8) + [0] + id.bytes))
    }
    guard !entries.isEmpty else { return nil }
    entries.sort { $0.key.lexicographicallyPrecedes($1.key) }
    return object("tree", entries.flatMap(\.bytes))
  }

  private static func entry(_ path: FilePath) throws -> (mode: String, id: Digest)? {
    let info = try FileInfo(path)
    switch info.kind {
    case .folder: return try tree(path).map { ("40000", $0) }
    case .link: return ("120000", object("blob", Array(try linkTarget(path).utf8)))
    case .file:
      var hasher = DigestHasher(.sha256)
      hasher.update(header("blob", info.size))
      try readFile(path) { hasher.update($0) }
      return (info.permissions.contains(.ownerExecute) ? "100755" : "100644", hasher.finalize())
    case .other: return nil
    }
  }

  private static func object(_ kind: String, _ content: [UInt8]) -> Digest {
    Digest(of: header(kind, Int64(content.count)) + content)
  }

  private static func header(_ kind: String, _ size: Int64) -> [UInt8] { Array("\(kind) \(size)".utf8) + [0] }
}

extension Digest {
  /// The value.
  fileprivate var bytes: [UInt8] {
    let digits = hex.utf8.map {
      $0 < UInt8(ascii: "a") ? $0 - UInt8(ascii: "0") : $0 - UInt8(ascii: "a") + 10
    }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
