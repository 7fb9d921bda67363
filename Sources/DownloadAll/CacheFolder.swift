import Files
import FoundationEssentials
import SystemPackage

/// The folder of things that can be made again. It carries the tag by which backup programs know to pass it over
/// (Cache Directory Tagging Specification), and by which `clean` knows that it may remove it.
enum CacheFolder {
  static let tagName = "CACHEDIR.TAG"
  /// The first line is that of the specification, the same for all programs; the second says whose the folder is.
  private static let tag = """
    Signature: 8a477f597d28d172789f06886806bc55
    # Made by kubespray-offline; safe to delete.

    """

  /// Makes the folder if it is missing. One that holds other things already is used and not tagged: those things
  /// cannot be made again.
  ///
  /// - Throws: `Errno`, or a Foundation error when the folder cannot be listed.
  static func make(_ folder: FilePath) throws {
    try createDirectories(folder)
    guard try FileManager.default.contentsOfDirectory(atPath: folder.string).isEmpty else { return }
    try writeAtomically(tag, to: folder.appending(tagName))
  }

  /// Whether this program made the folder.
  static func isTagged(_ folder: FilePath) -> Bool {
    var bytes: [UInt8] = []
    _ = try? readFile(folder.appending(tagName)) { bytes.append(contentsOf: $0.prefix(tag.utf8.count)) }
    return bytes.starts(with: tag.utf8)
  }
}
