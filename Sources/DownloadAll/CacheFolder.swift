import Files
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
  /// - Throws: `Errno`.
  static func make(_ folder: FilePath) throws {
    try createDirectories(folder)
    guard try listFolder(folder).isEmpty else { return }
    try writeAtomically(tag, to: folder.appending(tagName))
  }

  /// Whether this program made the folder.
  static func isTagged(_ folder: FilePath) -> Bool {
    (try? readBytes(folder.appending(tagName)))?.starts(with: tag.utf8) ?? false
  }
}
