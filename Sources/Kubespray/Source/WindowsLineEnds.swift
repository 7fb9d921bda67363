import Files
import SystemPackage

/// The line ends of a checkout that git made on Windows (`core.autocrlf`): CR LF, with which bash and Ansible's templates
/// do not work, neither here nor on nodes.
enum WindowsLineEnds {
  /// Whether a tree has them: its script for lists, which every kubespray has, tells it.
  static func areIn(_ tree: FilePath) -> Bool {
    let script = tree.appending("contrib/offline/generate_list.sh")
    return (try? readBytes(script)).map(hasAny) ?? false
  }

  /// Gives every text of a tree the line ends that it has in the repository.
  ///
  /// - Throws: `FileError`.
  static func remove(from tree: FilePath) throws {
    try walkFolder(tree) { entry in
      guard entry.info.kind == .file else { return }
      let bytes = try readBytes(entry.path)
      // What git takes for text: it has no zero bytes.
      guard hasAny(bytes), !bytes.contains(0) else { return }
      try writeAtomically(
        without(bytes), to: entry.path, permissions: entry.info.permissions, isDurable: false)
    }
  }

  private static func hasAny(_ bytes: [UInt8]) -> Bool {
    zip(bytes, bytes.dropFirst()).contains { $0 == 0x0d && $1 == 0x0a }
  }

  private static func without(_ bytes: [UInt8]) -> [UInt8] {
    bytes.indices.filter { index in
      !(bytes[index] == 0x0d && index + 1 < bytes.count && bytes[index + 1] == 0x0a)
    }.map { bytes[$0] }
  }
}
