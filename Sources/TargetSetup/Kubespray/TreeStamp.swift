import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// What an extracted kubespray tree was made of; written as its last file, so that a tree with it is complete.
struct TreeStamp: Codable, Sendable, Equatable {
  /// Its name in the tree.
  static let fileName = ".kubespray-offline.json"

  /// A local patch.
  struct Patch: Codable, Sendable, Equatable {
    /// Its name.
    let name: String
    /// The SHA-256 of its bytes, in hexadecimal.
    let sha256: String
  }

  /// The number of this format.
  var format = 1
  /// The version that the tree is named after.
  let version: String
  /// The SHA-256 of the tarball.
  let tarball: String
  /// The patches, in the order in which they were applied.
  let patches: [Patch]
  /// Every file of the tree, by path in it, with its SHA-256; for a link, of the text it leads to.
  var files: [String: String]

  /// Reads the stamp of a tree; `nil` when it has none that can be understood.
  static func read(in tree: FilePath) -> TreeStamp? {
    guard let text = try? readBytes(tree.appending(fileName)),
      let stamp = try? JSONDecoder().decode(TreeStamp.self, from: Data(text)), stamp.format == 1
    else { return nil }
    return stamp
  }

  /// The bytes of the file.
  ///
  /// - Throws: An error of the encoder.
  func bytes() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }

  /// The digest of a file or a link, in hexadecimal; `nil` when there is neither.
  static func digest(of path: FilePath) -> String? {
    if let target = try? linkTarget(path) {
      return Digest(of: Array(target.utf8)).hex
    }
    return try? Digest(ofFile: path).hex
  }

  /// The paths of all files and links below a folder; folders themselves are not named.
  ///
  /// - Throws: `FileError` when a folder cannot be read.
  static func files(below folder: FilePath) throws -> [String] {
    var found: [String] = []
    try walkFolder(folder) { if $0.info.kind != .folder { found.append($0.name) } }
    return found
  }
}
