import Files
import Glibc
import SystemPackage

/// The folder that the launcher of a bundle leaves to the program.
public enum LauncherFolder {
  private static let variable = "KUBESPRAY_OFFLINE_PRIVATE"

  /// Removes the folder into which the launcher has copied the loader, or all of `lib/`, where the medium does not let
  /// programs run: what is mapped is not needed as a file any more.
  public static func remove() {
    guard let text = getenv(variable) else { return }
    let folder = FilePath(String(cString: text))
    unsetenv(variable)
    // Whatever the variable says, only such a folder goes.
    guard folder.isAbsolute, folder.lastComponent?.string == ".target-setup.\(getpid())",
      let found = try? FileInfo(folder), found.kind == .folder, found.owner == geteuid()
    else { return }
    try? removeTree(folder)
  }
}
