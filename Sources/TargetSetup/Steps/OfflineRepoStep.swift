import Files
import FoundationEssentials
import Host
import SystemPackage
import Transfer

/// Makes this host take its packages, Python's too, from the bundle's web server and from nowhere else.
///
/// The repository is proved before anything is changed: a host that cannot use it keeps the sources that it has.
struct OfflineRepoStep: Step {
  let name = StepName.offlineRepo
  let needs: [StepName] = [.nginx]

  /// Where the repository is tried out; nothing of it stays.
  private static let trialFolder: FilePath = "/run/kubespray-offline-trial"

  /// A file that the step writes.
  private struct Wanted {
    let path: FilePath
    let bytes: [UInt8]
  }

  func check(_ node: Node, _ journal: Journal) async throws -> StepState {
    let wanted = try wanted(node)
    guard !wanted.isEmpty else {
      return .notApplicable("the bundle has no packages for \(node.system.prettyName) and none for Python")
    }
    if let other = try others(node).first { return .needed("\(other) is a package source beside the bundle") }
    if let file = wanted.first(where: { content(node, $0.path) != Data($0.bytes) }) {
      return .needed("\(file.path) does not name the bundle at \(node.packageServer)")
    }
    return .done("packages come from \(node.packageServer)")
  }

  func apply(_ node: Node, _ journal: Journal) async throws -> String {
    let repository = try node.repositories.repository(for: node.system)
    if let repository { try await proveTrial(node, repository) }
    if node.repositories.hasPython { try await proveIndex(node) }
    for path in try others(node) { try journal.moveAside(path) }
    for file in try wanted(node) where content(node, file.path) != Data(file.bytes) {
      try journal.makeFolder(file.path.removingLastComponent())
      try journal.write(file.path, file.bytes)
    }
    if let repository { try await prove(node, repository) }
    if node.repositories.hasPython { try await provePip(node) }
    return "packages come from \(node.packageServer)"
  }

  // MARK: What is wanted

  private func others(_ node: Node) throws -> [FilePath] {
    var paths: [FilePath] = []
    if let repository = try node.repositories.repository(for: node.system) {
      paths = OtherSources.find(repository.kind, root: node.root)
    }
    return paths
  }

  private func wanted(_ node: Node) throws -> [Wanted] {
    let files = RepositoryFiles(server: node.packageServer)
    var wanted: [Wanted] = []
    func add(_ path: FilePath, _ text: String) { wanted.append(Wanted(path: path, bytes: Array(text.utf8))) }
    if let repository = try node.repositories.repository(for: node.system) {
      switch repository.kind {
      case .debs:
        if let key = repository.publicKeys.first {
          wanted.append(Wanted(path: RepositoryFiles.aptKey, bytes: try bytes(node, key)))
        }
        add(RepositoryFiles.aptSettings, files.aptSettings)
        add(RepositoryFiles.aptSource, files.aptSource(repository))
      case .rpms:
        for key in repository.publicKeys {
          let path = RepositoryFiles.dnfKeys.appending(RepositoryFiles.installedKey(key))
          wanted.append(Wanted(path: path, bytes: try bytes(node, key)))
        }
        add(RepositoryFiles.dnfSource, files.dnfSource(repository))
      }
    }
    if node.repositories.hasPython { add(RepositoryFiles.pipSettings, files.pipSettings) }
    return wanted
  }

  private func bytes(_ node: Node, _ path: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try readFile(node.bundle.pushing(FilePath(path))) { bytes.append(contentsOf: $0) }
    return bytes
  }

  private func content(_ node: Node, _ path: FilePath) -> Data? {
    FileManager.default.contents(atPath: node.path(path).string)
  }
}

// MARK: The proof

extension OfflineRepoStep {
  /// Asks the package manager to read the repository with a configuration of its own, in a folder of its own.
  private func proveTrial(_ node: Node, _ repository: BundleRepositories.Repository) async throws {
    let folder = node.path(Self.trialFolder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    try? FileManager.default.removeItem(atPath: folder.string)
    try createDirectories(folder.appending("lists/partial"))
    let files = RepositoryFiles(server: node.packageServer)
    var environment = node.pipEnvironment
    environment["LC_ALL"] = "C.UTF-8"
    let command: Command
    switch repository.kind {
    case .debs:
      let key = folder.appending("key.asc")
      if let source = repository.publicKeys.first { try writeAtomically(try bytes(node, source), to: key) }
      let list = folder.appending("trial.sources")
      try writeAtomically(files.aptSource(repository, key: key), to: list)
      let options =
        [
          "Dir::Etc::SourceList=\(list)", "Dir::Etc::SourceParts=/dev/null",
          "Dir::State::Lists=\(folder)/lists",
          "Dir::Cache::PkgCache=", "Dir::Cache::SrcPkgCache=", "APT::Sandbox::User=root",
          "APT::Update::Error-Mode=any", "Acquire::Retries=2",
        ] + (files.aptDirect.map { ["\($0)=DIRECT"] } ?? [])
      command = Command("apt-get", options.flatMap { ["-o", $0] } + ["update"], environment: environment)
    case .rpms:
      for key in repository.publicKeys {
        let place = folder.appending(RepositoryFiles.installedKey(key))
        try writeAtomically(try bytes(node, key), to: place)
      }
      let list = folder.appending("trial.repo")
      try writeAtomically(files.dnfSource(repository, keys: folder), to: list)
      command = Command(
        "dnf",
        [
          "--assumeyes", "--quiet", "--setopt=reposdir=\(folder)", "--setopt=cachedir=\(folder)/lists",
          "makecache",
        ], environment: environment)
    }
    try await check(node, command, repository)
  }

  /// Asks the package manager to read the repository as it is configured now.
  private func prove(_ node: Node, _ repository: BundleRepositories.Repository) async throws {
    switch repository.kind {
    case .debs:
      try await check(node, NodePackages.aptUpdate, repository)
    case .rpms:
      let command = Command(
        "dnf", ["--assumeyes", "--refresh", "makecache"], environment: ["LC_ALL": "C.UTF-8"])
      try await check(node, command, repository)
    }
  }

  private func check(
    _ node: Node, _ command: Command, _ repository: BundleRepositories.Repository
  ) async throws {
    let result = try await node.run(command)
    guard result.status == 0 else {
      throw StepError(
        "\(command.executable) cannot use \(node.packageServer)/\(repository.path)/:\n"
          + "\(NodePackages.lastLines(result))\nIf the web server does not answer, run \"target-setup nginx\"; "
          + "if files are missing, run \"target-setup verify\".")
    }
  }

  /// Asks the web server for the index of Python packages.
  private func proveIndex(_ node: Node) async throws {
    let url = "\(node.packageServer)/pypi/"
    var configuration = TransferConfiguration()
    configuration.retries = 2
    configuration.noProxy = "*"
    do {
      _ = try await TransferEngine(configuration).response(to: HTTPRequest(url: url))
    } catch {
      throw StepError(
        "the index of Python packages does not answer: \(error). Run \"target-setup nginx\" first.")
    }
  }

  /// Lets the host's own pip, where there is one, fetch the smallest package of the index.
  private func provePip(_ node: Node) async throws {
    let pip = ["-m", "pip", "--disable-pip-version-check"]
    guard await node.succeeds(Command("python3", pip + ["--version"])), let project = smallestProject(node)
    else {
      return
    }
    let folder = node.path(Self.trialFolder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    try createDirectories(folder)
    var environment = node.pipEnvironment
    // What was just written is what counts.
    environment["PIP_CONFIG_FILE"] = node.path(RepositoryFiles.pipSettings).string
    let command = Command(
      "python3",
      pip + ["download", "--quiet", "--no-deps", "--no-cache-dir", "--dest", folder.string, project],
      environment: environment)
    let result = try await node.run(command)
    guard result.status == 0 else {
      throw StepError(
        "pip cannot fetch \(project) from \(node.packageServer)/pypi/:\n\(NodePackages.lastLines(result))\n"
          + "Run \"target-setup verify\", then this step again.")
    }
  }

  /// The project of the smallest wheel that every Python takes.
  private func smallestProject(_ node: Node) -> String? {
    let folder = node.bundle.appending("pypi/files")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
    let sizes = names.filter { $0.hasSuffix("-py3-none-any.whl") }.map { name in
      let attributes = try? FileManager.default.attributesOfItem(atPath: folder.appending(name).string)
      return (name, attributes?[.size] as? Int64 ?? .max)
    }
    let name = sizes.min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
    return name?.split(separator: "-").first.map(String.init)
  }
}
