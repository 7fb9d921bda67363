import Host
import SystemPackage

/// apt and dpkg.
struct AptClient: PackageClient {
  private static let environment: [String: String?] = [
    "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1",
  ]

  // What apt reads: sources.list(5). 99offline is what the shell project leaves behind; it switches off authentication
  // for every repository.
  let sourceFiles: [FilePath] = ["/etc/apt/sources.list", "/etc/apt/apt.conf.d/99offline"]
  let sourceFolders: [(folder: FilePath, extensions: Set<String>)] = [
    ("/etc/apt/sources.list.d", ["list", "sources"])
  ]
  let bundleSource = RepositoryFiles.aptSource

  /// What apt knows of other sources stays, for the day when they are back. It fails where apt-get alone would only warn.
  var refresh: Command {
    command(
      "apt-get",
      [
        "-o", "APT::Update::Error-Mode=any", "-o", "Acquire::Retries=2", "-o", "APT::Get::List-Cleanup=0",
        "update",
      ])
  }

  var listInstalled: Command {
    command("dpkg-query", ["--show", "--showformat", "${db:Status-Status} ${Package}\\n"])
  }

  func files(_ repository: BundleRepositories.Repository, _ files: RepositoryFiles) -> [ClientFile] {
    let login = files.aptLogin.map {
      ClientFile(path: RepositoryFiles.aptLogin, content: .text($0), mode: 0o600)
    }
    let key = repository.publicKeys.first.map { ClientFile(path: RepositoryFiles.aptKey, content: .key($0)) }
    return [key, login].compactMap { $0 } + [
      ClientFile(path: RepositoryFiles.aptSettings, content: .text(files.aptSettings)),
      ClientFile(path: RepositoryFiles.aptSource, content: .text(files.aptSource(repository))),
    ]
  }

  func trial(
    _ repository: BundleRepositories.Repository, _ files: RepositoryFiles, in folder: FilePath
  ) -> Trial {
    let key = folder.appending("key.asc")
    let list = folder.appending("trial.sources")
    let login = folder.appending("auth.conf")
    let options =
      [
        "Dir::Etc::SourceList=\(list)", "Dir::Etc::SourceParts=/dev/null",
        "Dir::State::Lists=\(folder)/lists",
        "Dir::Cache::PkgCache=", "Dir::Cache::SrcPkgCache=", "APT::Sandbox::User=root",
        "APT::Update::Error-Mode=any", "Acquire::Retries=2",
      ] + (files.aptDirect.map { ["\($0)=DIRECT"] } ?? [])
      + (files.access.authorityFile.map { ["\(files.aptAuthority)=\($0)"] } ?? [])
      + (files.aptLogin == nil ? [] : ["Dir::Etc::Netrc=\(login)"])
    return Trial(
      files: repository.publicKeys.prefix(1).map { ClientFile(path: key, content: .key($0)) }
        + [ClientFile(path: list, content: .text(files.aptSource(repository, key: key)))]
        + [files.aptLogin].compactMap { $0.map { ClientFile(path: login, content: .text($0), mode: 0o600) } },
      commands: [
        Command("apt-get", options.flatMap { ["-o", $0] } + ["update"], environment: Self.trialEnvironment)
      ],
      install: { name in
        Command(
          "apt-get", options.flatMap { ["-o", $0] } + Self.simulation + [name],
          environment: Self.trialEnvironment)
      }
    )
  }

  private static let simulation = ["--simulate", "--yes", "--no-install-recommends", "install"]

  func simulation(of package: String) -> Command? { command("apt-get", Self.simulation + [package]) }

  func remove(_ names: [String]) -> Command { command("dpkg", ["--purge"] + names).unbroken() }

  var settle: Command? { command("dpkg", ["--configure", "-a"]).unbroken() }

  func forget(_ names: Set<String>, on host: TargetHost) throws { try AptStates.forget(names, on: host) }

  func install(
    _ names: [String], _ packages: HostPackages, willInstall: ([String]) throws -> Void
  ) async throws {
    // What an interrupted run has left half configured stops every later one.
    if let settle { try await packages.run(settle, for: names) }
    try await packages.run(refresh, for: names)
    let options = ["--yes", "--no-install-recommends", "install"]
    let plan = try await packages.run(command("apt-get", ["--simulate"] + options + names), for: names)
    try willInstall(Self.newPackages(inSimulation: plan))
    try await packages.run(command("apt-get", options + names).unbroken(), for: names)
  }

  func takenLock(_ result: CommandResult) -> String? {
    // dpkg: "dpkg frontend lock was locked by another process with pid N"; apt: "Could not get lock FILE."
    result.standardError.split(whereSeparator: \.isNewline).map(String.init).first { line in
      line.contains("was locked by another process") || line.contains("Could not get lock")
    }
  }

  /// `Inst NAME (VERSION ...)`; an upgrade has the old version in brackets before the new one.
  static func newPackages(inSimulation text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count > 2, words[0] == "Inst", words[2].hasPrefix("(") else { return nil }
      return words[1].split(separator: ":").first.map(String.init)
    }
  }

  private func command(_ program: String, _ arguments: [String]) -> Command {
    Command(program, arguments, environment: Self.environment)
  }
}
