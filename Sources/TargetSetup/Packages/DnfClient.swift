import Host
import SystemPackage

/// dnf and rpm.
struct DnfClient: RPMClient {
  /// No recommended packages.
  static let options = ["--setopt=install_weak_deps=False", "install"]

  let sourceFiles: [FilePath] = []
  let sourceFolders: [(folder: FilePath, extensions: Set<String>)] = [("/etc/yum.repos.d", ["repo"])]
  let bundleSource = RepositoryFiles.dnfSource

  /// A host may bear with repositories that do not answer: an index that is not there is none.
  private static let strict = "--setopt=*.skip_if_unavailable=False"

  var refresh: Command { command("dnf", ["--assumeyes", "--refresh", Self.strict, "makecache"]) }

  func files(_ repository: BundleRepositories.Repository, _ files: RepositoryFiles) -> [ClientFile] {
    keys(repository, in: RepositoryFiles.rpmKeys) + [
      ClientFile(
        path: RepositoryFiles.dnfSource,
        content: .text(files.dnfSource(repository)), mode: files.access.login == nil ? 0o644 : 0o600)
    ]
  }

  func trial(
    _ repository: BundleRepositories.Repository, _ files: RepositoryFiles, in folder: FilePath
  ) -> Trial {
    let text = files.dnfSource(
      repository, keys: folder, authority: files.access.authorityFile ?? ServerAccess.authorityPlace)
    return Trial(
      files: keys(repository, in: folder)
        + [ClientFile(path: folder.appending("trial.repo"), content: .text(text), mode: 0o600)],
      commands: [
        Command(
          "dnf",
          [
            "--assumeyes", "--quiet", "--setopt=reposdir=\(folder)", "--setopt=cachedir=\(folder)/lists",
            Self.strict, "makecache",
          ], environment: Self.trialEnvironment)
      ],
      install: { name in
        Command(
          "dnf",
          [
            "--assumeno", "--setopt=reposdir=\(folder)", "--setopt=cachedir=\(folder)/lists", Self.strict,
          ] + Self.options + [name], environment: Self.trialEnvironment)
      }
    )
  }

  func install(
    _ names: [String], _ packages: HostPackages, willInstall: ([String]) throws -> Void
  ) async throws {
    let before = try await packages.installed()
    // dnf answers "no" to its own question and ends with 1; what it would install is in the table before.
    let plan = try await packages.host.run(command("dnf", ["--assumeno"] + Self.options + names))
    try willInstall(Self.newPackages(inTransaction: plan.standardOutput).filter { !before.contains($0) })
    try await packages.run(
      command("dnf", ["--assumeyes"] + Self.options + names).unbroken(), for: names)
    // The keys of the bundle that dnf has imported for this.
    try willInstall(
      try await packages.installed().subtracting(before).filter { $0.hasPrefix("gpg-pubkey-") }.sorted())
  }

  /// The first column of dnf's table of a transaction: ` NAME  ARCH  VERSION  REPOSITORY  SIZE`.
  static func newPackages(inTransaction text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard line.hasPrefix(" "), words.count >= 5, words.contains(Substring(RepositoryFiles.rpmRepository))
      else { return nil }
      return String(words[0])
    }
  }
}
