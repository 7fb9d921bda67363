import CommandSupport
import Files
import SystemPackage

/// The folder of an installed release, as its launcher names it: it has the lists, scripts and settings that come with the
/// program. What lies in the current folder counts before it.
enum Installation {
  /// The folder; `nil` for a program that was built in a clone.
  static var folder: FilePath? {
    processEnvironment()["KUBESPRAY_OFFLINE_HOME"].flatMap { $0.hasPrefix("/") ? FilePath($0) : nil }
  }

  /// The file of settings: one's own, or else that of the release.
  static var settings: FilePath {
    let own: FilePath = "config/config.yml"
    guard let folder, !fileExists(own) else { return own }
    return folder.pushing(own)
  }
}
