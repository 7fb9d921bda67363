import Integrity
import SystemPackage

/// The folder of things that can be made again. It carries the tag by which backup programs know to pass it over
/// (Cache Directory Tagging Specification), and by which `clean` knows that it may remove it.
enum CacheFolder {
  static let tagName = "CACHEDIR.TAG"
  private static let signature = "Signature: 8a477f597d28d172789f06886806bc55"

  /// Makes the folder if it is missing.
  ///
  /// - Throws: `Errno`.
  static func make(_ folder: FilePath) throws {
    try createDirectories(folder)
    guard !isTagged(folder) else { return }
    try writeAtomically(
      "\(signature)\n# Made by kubespray-offline; safe to delete.\n", to: folder.appending(tagName))
  }

  /// Whether this program made the folder.
  static func isTagged(_ folder: FilePath) -> Bool {
    var bytes: [UInt8] = []
    _ = try? readFile(folder.appending(tagName)) { bytes.append(contentsOf: $0.prefix(signature.utf8.count)) }
    return bytes.starts(with: signature.utf8)
  }
}
