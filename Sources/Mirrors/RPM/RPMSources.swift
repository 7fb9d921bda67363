import Files
import Integrity
import SystemPackage

/// Where the packages of a target come from: the files that configure dnf.
struct RPMSources: Sendable {
  /// Folders of .repo files.
  var repositories: [FilePath]
  /// Folders of dnf's variables, one file each.
  var variables: [FilePath]
  /// Folders where a key is looked for that a repository expects on the target's own disk.
  var keys: [FilePath]
  /// dnf's main configuration; only the host's own is used, for the host's own release.
  var configuration: FilePath?
  /// One .repo file to use alone, instead of `repositories`.
  var file: FilePath?

  /// The sources of this host.
  ///
  /// - Parameter root: The root folder of the host.
  static func host(root: FilePath = "/") -> RPMSources {
    let configuration = root.appending("etc/dnf/dnf.conf")
    return RPMSources(
      // The defaults of dnf.conf(5), reposdir and varsdir.
      repositories: ["etc/yum.repos.d", "etc/yum/repos.d", "etc/distro.repos.d"].map(root.appending),
      variables: ["etc/yum/vars", "etc/dnf/vars"].map(root.appending), keys: [],
      configuration: fileExists(configuration) ? configuration : nil)
  }

  /// The sources in a .repo file or a folder of .repo files.
  ///
  /// Beside them, `vars/` has dnf's variables, and `keys/`, `rpm-gpg/` or the folder itself the vendors' keys.
  /// - Throws: ``RPMRepositoryError/noRepositoryFile(_:)``.
  static func at(_ path: FilePath) throws(RPMRepositoryError) -> RPMSources {
    guard fileExists(path) else { throw .noRepositoryFile(path) }
    let isFolder = folderExists(path)
    let folder = isFolder ? path : path.removingLastComponent()
    let sources = RPMSources(
      repositories: isFolder ? [folder] : [], variables: [folder.appending("vars")],
      keys: [folder, folder.appending("keys"), folder.appending("rpm-gpg")], file: isFolder ? nil : path)
    guard !sources.repositoryFiles.isEmpty else { throw .noRepositoryFile(path) }
    return sources
  }

  /// Every .repo file.
  var repositoryFiles: [FilePath] {
    if let file { return [file] }
    return repositories.flatMap { Self.files(in: $0) { $0.hasSuffix(".repo") } }
  }

  /// A text that changes when a file of the configuration does.
  func fingerprint() throws(RPMRepositoryError) -> String {
    let keyFiles =
      file == nil ? keys.flatMap { Self.files(in: $0) { $0.contains("GPG") } } : []
    var lines: [String] = []
    for path in repositoryFiles + variables.flatMap({ Self.files(in: $0) { _ in true } })
      + keyFiles + (configuration.map { [$0] } ?? [])
    {
      do {
        // A digest, because the file may have a password in it.
        lines.append("\(path) \(try Digest(ofFile: path))")
      } catch {
        throw .noRepositoryFile(path)
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func files(in folder: FilePath, where isWanted: (String) -> Bool) -> [FilePath] {
    let names = (try? listFolder(folder)) ?? []
    return names.filter(isWanted).map { folder.appending($0) }.filter { fileExists($0) && !folderExists($0) }
  }
}
