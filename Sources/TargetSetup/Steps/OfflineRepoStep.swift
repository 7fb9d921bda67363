import Console
import Files
import Host
import SystemPackage
import Transfer

/// Makes this host take its packages, Python's too, from the bundle's web server and from nowhere else.
///
/// The repository is proved before anything is changed: a host that cannot use it keeps the sources that it has.
struct OfflineRepoStep: Step {
  let name = StepName.offlineRepo
  let needs: [StepName] = [.nginx]
  let usedFolders = ["debs", "pypi", "rpms"]

  /// Where the repository is tried out; nothing of it stays.
  private static let trialFolder: FilePath = "/run/kubespray-offline-trial"

  /// A file that the step writes, with its content.
  private typealias Wanted = (path: FilePath, bytes: [UInt8], mode: UInt32)

  func check(_ context: SetupContext, _ journal: Journal) async throws -> StepState {
    let wanted = try wanted(context)
    let place = Self.place(context)
    guard !wanted.isEmpty else {
      return .notApplicable(
        "the bundle has no packages for \(context.host.system.prettyName) and none for Python")
    }
    if let other = try await others(context).first {
      return .needed("\(other) is a package source beside the bundle")
    }
    if let file = try wanted.first(where: { try context.host.file($0.path) != $0.bytes }) {
      return .needed("\(file.path) does not name the bundle at \(place)")
    }
    return .done("packages come from \(place)")
  }

  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String {
    let host = context.host
    let place = Self.place(context)
    let repository = try context.repositories.repository(for: host.system)
    let hasPython = try context.repositories.hasPython
    let access = try context.access
    let pip = try pip(context)
    // It serves the proof below, too: read again, a stick could answer otherwise when the host has changed already.
    var sample: String?
    if let repository { sample = try await tryOut(repository, context) }
    if hasPython { try await proveIndex(pip) }
    let others = try await others(context)
    let wanted = try wanted(context)
    let before =
      journal.lastNote(.packageServer) == nil ? nil : try SourcesBefore(others + wanted.map(\.path), host)
    for path in others { try journal.moveAside(path) }
    for file in wanted where try host.file(file.path) != file.bytes {
      try journal.makeFolder(file.path.removingLastComponent())
      try journal.write(file.path, file.bytes, mode: file.mode)
    }
    if access.isTLS { await SystemTrust.refresh(host) }
    do {
      if let repository, let client = host.system.family.packageClient {
        let keys = wanted.map(\.path).filter { $0.starts(with: RepositoryFiles.rpmKeys) }
        try await packages(context)?.learn(keys, journal)
        try await prove(client.refresh, repository, context)
        try await simulate(sample.flatMap(client.simulation), sample ?? "", repository, context)
      }
      if hasPython { try await provePip(pip, context.bundle, host) }
    } catch {
      if !(error is CancellationError), !Task.isCancelled { try await takeBack(context, journal, before) }
      throw error
    }
    try journal.replaceNote(.packageServer, place)
    if hasPython { for rival in pip.rivals(on: host) { context.say(.warning, rival, step: name) } }
    return "packages come from \(place)"
  }

  /// The last proof failed: the host has the sources that it had, those of an earlier bundle too.
  private func takeBack(
    _ context: SetupContext, _ journal: Journal, _ before: SourcesBefore?
  ) async throws {
    if let before {
      try before.restore(context.host, journal)
      await SystemTrust.refresh(context.host)
      context.say(
        .info, "the package sources of this host are those of the earlier set-up again", step: name)
      return
    }
    try await beforeUndo(context, journal)
    let undone = try await offloaded { () throws in try journal.takeBack() }
    for text in undone.kept { context.say(.warning, text, step: name) }
    try await afterUndo(context, journal)
    for text in try journal.forget() { context.say(.warning, text, step: name) }
    context.say(.info, "the package sources of this host are as they were before", step: name)
  }

  func beforeUndo(_ context: SetupContext, _ journal: Journal) async throws {
    if let left = try await HostPackages.takeBack(journal, on: context.host) {
      context.say(.warning, left, step: name)
    }
  }

  func afterUndo(_ context: SetupContext, _ journal: Journal) async throws {
    guard journal.allEntries.contains(where: { $0.path == ServerAccess.authorityPlace.string }) else {
      return
    }
    await SystemTrust.refresh(context.host)
  }

  private func others(_ context: SetupContext) async throws -> [FilePath] {
    guard try context.repositories.repository(for: context.host.system) != nil,
      let client = context.host.system.family.packageClient
    else { return [] }
    return client.otherSources(on: context.host) + (try await client.configuredSources(context.host))
  }

  /// Where the packages of this release are: below this address lie `debs`, `rpms` and `pypi`. The next bundle, whose
  /// packages may be signed with another key, does not change what is there.
  private static func place(_ context: SetupContext) -> String {
    context.addresses.packageServer + context.addresses.releasePath
  }

  private func files(_ context: SetupContext) throws -> RepositoryFiles {
    RepositoryFiles(
      server: context.addresses.packageServer, release: context.addresses.releasePath,
      access: try context.access)
  }

  private func pip(_ context: SetupContext) throws -> PipClient {
    PipClient(
      server: context.addresses.packageServer, release: context.addresses.releasePath,
      access: try context.access)
  }

  private func wanted(_ context: SetupContext) throws -> [Wanted] {
    var files: [ClientFile] = []
    if let repository = try context.repositories.repository(for: context.host.system),
      let client = context.host.system.family.packageClient
    {
      files += client.files(repository, try self.files(context))
    }
    if try context.repositories.hasPython {
      files.append(
        ClientFile(path: PipClient.settingsFile, content: .text(try pip(context).settings)))
    }
    guard !files.isEmpty else { return [] }
    let server = context.addresses.packageServer
    files += try ClientAccess(server: server, access: try context.access).files(context.host)
    return try files.map { ($0.path, try $0.bytes(context.bundle), $0.mode) }
  }
}

// MARK: The proof

extension OfflineRepoStep {
  /// Asks the package manager to read the repository with a configuration of its own, in a folder of its own.
  ///
  /// - Returns: The package that it would install.
  private func tryOut(
    _ repository: BundleRepositories.Repository, _ context: SetupContext
  ) async throws -> String? {
    guard let client = context.host.system.family.packageClient else { return nil }
    let folder = context.host.path(Self.trialFolder)
    defer { try? removeTree(folder) }
    try removeTree(folder)
    try createDirectories(folder.appending("lists/partial"))
    let trial = client.trial(repository, try files(context), in: folder)
    for file in trial.files {
      try createDirectories(file.path.removingLastComponent())
      try writeAtomically(
        try file.bytes(context.bundle), to: file.path,
        permissions: FilePermissions(rawValue: CModeT(file.mode)))
    }
    for command in trial.commands { try await prove(command, repository, context) }
    let installed = try await packages(context)?.installed() ?? []
    let sample = try client.sample(of: repository, context.bundle, installed: installed)
    try await simulate(sample.flatMap(trial.install), sample ?? "", repository, context)
    return sample
  }

  private func packages(_ context: SetupContext) -> HostPackages? {
    HostPackages(context.host, say: { context.say(.info, $0, step: name) })
  }

  /// Asks the package manager whether it would install a package: settings of the host may keep it from that though it
  /// reads the repository.
  private func simulate(
    _ command: Command?, _ package: String, _ repository: BundleRepositories.Repository,
    _ context: SetupContext
  ) async throws {
    guard let command, let client = context.host.system.family.packageClient else { return }
    let result = try await run(command, context)
    guard !client.wouldInstall(result) else { return }
    let blame = client.blame(result, context.host)
    throw StepError(
      "\(command.executable) would not install \(package) from \(Self.place(context))/\(repository.path)/"
        + (blame.map { ": \($0)" } ?? "") + "\n\(HostPackages.lastLines(result))", .again)
  }

  /// Runs a command of the package manager when no other one is at work.
  private func run(_ command: Command, _ context: SetupContext) async throws -> CommandResult {
    guard let packages = packages(context) else { return try await context.host.run(command) }
    return try await packages.result(of: command)
  }

  /// Asks the package manager to read the repository.
  private func prove(
    _ command: Command, _ repository: BundleRepositories.Repository, _ context: SetupContext
  ) async throws {
    let result = try await run(command, context)
    guard result.status == 0 else {
      let said = HostPackages.lastLines(result)
      // A fault of the package manager's own settings is not the web server's.
      let isOfSettings = ["/etc/apt/", "/etc/dnf/", "/etc/yum", "/etc/zypp/zypp"].contains(
        where: said.contains)
      throw StepError(
        "\(command.executable) cannot use \(Self.place(context))/\(repository.path)/:\n\(said)",
        isOfSettings ? .again : .webServer(lacking: "if files are missing, run \"target-setup verify\""))
    }
  }

  /// Asks the web server for the index of Python packages.
  private func proveIndex(_ pip: PipClient) async throws {
    var configuration = TransferConfiguration()
    configuration.retries = 2
    configuration.noProxy = "*"
    pip.access.adjust(&configuration)
    var request = HTTPRequest(url: pip.index)
    pip.access.adjust(&request)
    let response: HTTPResponse
    do {
      response = try await TransferEngine(configuration).response(to: request)
    } catch {
      throw StepError("the index of Python packages does not answer: \(error)", .first(.nginx))
    }
    guard response.head.isSuccess else {
      throw StepError(
        "the web server has no index of Python packages: \(pip.index) answers \(response.head.status)",
        .first(.nginx))
    }
  }

  /// Lets the host's own pip, where there is one, fetch the smallest package of the index.
  private func provePip(_ pip: PipClient, _ bundle: ArrivedBundle, _ host: TargetHost) async throws {
    let arguments = ["-m", "pip", "--disable-pip-version-check"]
    guard await host.succeeds(Command("python3", arguments + ["--version"])),
      let project = smallestProject(bundle)
    else { return }
    let folder = host.path(Self.trialFolder)
    defer { try? removeTree(folder) }
    try createDirectories(folder)
    // What was just written is what counts.
    let settings = host.path(PipClient.settingsFile).string
    let command = Command(
      "python3",
      arguments + ["download", "--quiet", "--no-deps", "--no-cache-dir", "--dest", folder.string, project],
      environment: pip.environment.merging(["PIP_CONFIG_FILE": settings]) { $1 })
    let result = try await host.run(command)
    guard result.status == 0 else {
      throw StepError(
        "pip cannot fetch \(project) from \(pip.index):\n\(HostPackages.lastLines(result))", .verify)
    }
  }

  /// The project of the smallest wheel that every Python takes.
  private func smallestProject(_ bundle: ArrivedBundle) -> String? {
    let wheels = ((try? bundle.files(below: "pypi/files")) ?? []).filter { $0.hasSuffix("-py3-none-any.whl") }
    let sizes = wheels.map { ($0, bundle.size($0)) }
    let smallest = sizes.min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
    return smallest?.split(separator: "/").last?.split(separator: "-").first.map(String.init)
  }
}

/// The files by which a host's package clients know their sources, as an earlier set-up left them.
private struct SourcesBefore {
  private let files: [(path: FilePath, bytes: [UInt8]?, mode: UInt32)]

  init(_ paths: [FilePath], _ host: TargetHost) throws {
    files = try paths.map { path in
      (path, try host.file(path), (try? FileInfo(host.path(path), followsLinks: true).mode) ?? 0o644)
    }
  }

  func restore(_ host: TargetHost, _ journal: Journal) throws {
    for file in files where try host.file(file.path) != file.bytes {
      if let bytes = file.bytes {
        try journal.write(file.path, bytes, mode: file.mode)
      } else {
        try journal.moveAside(file.path)
      }
    }
  }
}
