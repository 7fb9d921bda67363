import Files
import SystemPackage

/// The tag by which backup programs know to pass a cache over (Cache Directory Tagging Specification), and by which
/// `clean` knows that it may remove it.
public enum CacheTag {
  static let name = "CACHEDIR.TAG"
  /// The first line is that of the specification, the same for all programs; the second says whose the folder is.
  static let text = """
    Signature: 8a477f597d28d172789f06886806bc55
    # Made by kubespray-offline; safe to delete.

    """

  /// Whether this program made the folder.
  public static func marks(_ folder: FilePath) -> Bool {
    (try? readBytes(folder.appending(name), limit: 4096))?.starts(with: text.utf8) ?? false
  }
}
