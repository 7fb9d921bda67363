import FoundationEssentials
import SystemPackage

/// The package sources that a machine has beside the bundle: the distribution's own and everybody else's.
enum OtherSources {
  /// Their files, by the paths they have on the machine.
  ///
  /// - Parameter root: The root of the machine; `/` but in tests.
  static func find(_ kind: BundleRepositories.Kind, root: FilePath) -> [FilePath] {
    switch kind {
    case .debs:
      // What apt reads: sources.list(5). 99offline is what the shell project leaves behind; it switches off
      // authentication for every repository.
      files(["/etc/apt/sources.list", "/etc/apt/apt.conf.d/99offline"], root: root)
        + files(in: "/etc/apt/sources.list.d", extensions: ["list", "sources"], root: root)
        .filter { $0 != RepositoryFiles.aptSource }
    case .rpms:
      files(in: "/etc/yum.repos.d", extensions: ["repo"], root: root)
        .filter { $0 != RepositoryFiles.dnfSource }
    }
  }

  private static func files(_ paths: [FilePath], root: FilePath) -> [FilePath] {
    paths.filter { path in
      guard let found = kind(of: root.appending(path.components)) else { return false }
      return found != .typeDirectory
    }
  }

  private static func files(in folder: FilePath, extensions: Set<String>, root: FilePath) -> [FilePath] {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: root.appending(folder.components).string)) ?? []
    let chosen = names.sorted().filter { FilePath($0).extension.map(extensions.contains) ?? false }
    return files(chosen.map { folder.appending($0) }, root: root)
  }

  /// What a path names; a link is a link, wherever it leads.
  private static func kind(of path: FilePath) -> FileAttributeType? {
    try? FileManager.default.attributesOfItem(atPath: path.string)[.type] as? FileAttributeType
  }
}
