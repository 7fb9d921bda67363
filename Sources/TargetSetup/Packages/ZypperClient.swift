import Certificates
import Files
import Host
import SystemPackage

/// zypper and rpm, of openSUSE and SUSE Linux Enterprise.
struct ZypperClient: RPMClient {
  /// It asks nobody, and takes what is asked for alone.
  private static let options = ["install", "--no-recommends", "--auto-agree-with-licenses"]

  let sourceFiles: [FilePath] = []
  /// A service makes its repositories again each time zypper asks it.
  let sourceFolders: [(folder: FilePath, extensions: Set<String>)] = [
    ("/etc/zypp/repos.d", ["repo"]), ("/etc/zypp/services.d", ["service"]),
  ]
  let bundleSource = RepositoryFiles.zypperSource

  var refresh: Command { zypper(["refresh", "--force"]) }

  func files(_ repository: BundleRepositories.Repository, _ files: RepositoryFiles) -> [ClientFile] {
    let login = files.zypperLogin.map {
      ClientFile(path: RepositoryFiles.zypperLogin, content: .text($0), mode: 0o600)
    }
    return keys(repository, in: RepositoryFiles.rpmKeys) + [login].compactMap(\.self) + [
      ClientFile(path: RepositoryFiles.zypperSource, content: .text(files.zypperSource(repository)))
    ]
  }

  /// In a root of its own, whose rpm knows the bundle's keys and has no packages.
  func trial(
    _ repository: BundleRepositories.Repository, _ files: RepositoryFiles, in folder: FilePath
  ) -> Trial {
    let root = folder.appending("root")
    func place(_ path: FilePath) -> FilePath { root.appending(path.components) }
    let authorities = authority(files.access).map { (folder: folder.appending("authorities"), file: $0) }
    let text = files.zypperSource(repository, keys: folder, authorities: authorities?.folder)
    let keys = keys(repository, in: folder)
    var all = keys + [ClientFile(path: place(RepositoryFiles.zypperSource), content: .text(text))]
    if let login = files.zypperLogin {
      all.append(ClientFile(path: place(RepositoryFiles.zypperLogin), content: .text(login), mode: 0o600))
    }
    if let authorities {
      let (name, bytes) = authorities.file
      all.append(ClientFile(path: authorities.folder.appending(name), content: .bytes(bytes)))
    }
    let rooted = ["--root", root.string]
    func command(_ program: String, _ arguments: [String]) -> Command {
      Command(program, arguments, environment: Self.trialEnvironment)
    }
    return Trial(
      files: all,
      commands: (keys.isEmpty ? [] : [command("rpm", rooted + ["--import"] + keys.map(\.path.string))])
        + [command("zypper", rooted + ["--non-interactive", "refresh", "--force"])],
      install: { name in
        Command(
          "zypper", rooted + ["--non-interactive"] + Self.options + ["--dry-run", name],
          environment: Self.trialEnvironment)
      })
  }

  /// The certificate under the name by which OpenSSL finds it in a folder: zypper takes no single file.
  private func authority(_ access: ServerAccess) -> (name: String, bytes: [UInt8])? {
    guard let bytes = access.authority, let certificate = try? Certificate(pem: bytes) else { return nil }
    return ("\(certificate.subjectHash).0", bytes)
  }

  /// zypper asks a person about a key that rpm does not know, or believes any that a server offers. What rpm knew before
  /// stays when the bundle goes: the key of the system itself may be among them.
  func learn(
    _ keys: [FilePath], _ packages: HostPackages, willLearn: ([String]) throws -> Void
  ) async throws {
    let files = keys.map { packages.host.path($0).string }
    guard !files.isEmpty else { return }
    // A database of its own tells under which names rpm will have them.
    let folder = packages.host.path("/run/kubespray-offline-keys")
    defer { try? removeTree(folder) }
    try removeTree(folder)
    try createDirectories(folder)
    let apart = ["--dbpath", folder.string]
    try await require(command("rpm", apart + ["--import"] + files), packages)
    let known = try await packages.installed()
    let names = HostPackages.names(
      in: try await require(command("rpm", apart + listInstalled.arguments), packages))
    let new = names.filter { $0.hasPrefix("gpg-pubkey-") }.subtracting(known).sorted()
    guard !new.isEmpty else { return }
    try willLearn(new)
    try await require(command("rpm", ["--import"] + files).unbroken(), packages)
  }

  @discardableResult
  private func require(_ command: Command, _ packages: HostPackages) async throws -> String {
    let result = try await packages.result(of: command)
    guard result.status == 0 else {
      throw StepError(
        "rpm does not take the keys of the bundle:\n\(HostPackages.lastLines(result))", .again)
    }
    return result.standardOutput
  }

  func install(
    _ names: [String], _ packages: HostPackages, willInstall: ([String]) throws -> Void
  ) async throws {
    try await packages.run(zypper(["refresh"]), for: names)
    let plan = try await packages.run(
      command("zypper", ["--xmlout", "--non-interactive"] + Self.options + ["--dry-run"] + names), for: names)
    try willInstall(Self.newPackages(inPlan: plan))
    try await packages.run(zypper(Self.options + names).unbroken(), for: names)
  }

  /// The packages that come new, of a plan as zypper writes it in XML: an element `solvable` each, on a line of its own.
  static func newPackages(inPlan text: String) -> [String] {
    guard let start = text.firstRange(of: "<to-install>"), let end = text.firstRange(of: "</to-install>"),
      start.upperBound <= end.lowerBound
    else { return [] }
    return text[start.upperBound..<end.lowerBound].split(separator: "\n").compactMap { line in
      guard line.contains("<solvable "), line.contains("type=\"package\""),
        let name = line.firstRange(of: " name=\"")
      else { return nil }
      return String(line[name.upperBound...].prefix { $0 != "\"" })
    }
  }

  func takenLock(_ result: CommandResult) -> String? {
    (result.standardError + "\n" + result.standardOutput).split(whereSeparator: \.isNewline)
      .first { $0.contains("System management is locked") }.map(String.init)
  }
}

/// What a host's own settings of zypper make of the bundle's repository.
extension ZypperClient {
  /// What zypper says of a package that it does not know, or does not take because of a lock.
  private static let refusals = ["No provider of", "not found in package names", "remove lock to allow"]
  private static let locks: FilePath = "/etc/zypp/locks"

  func simulation(of package: String) -> Command? {
    zypper(["--no-refresh"] + Self.options + ["--dry-run", package])
  }

  /// A package that collides with one that is there is refused for another reason, which is not the settings' fault.
  func wouldInstall(_ answer: CommandResult) -> Bool {
    let text = answer.standardError + answer.standardOutput
    return answer.status == 0 || !Self.refusals.contains { text.contains($0) }
  }

  func blame(_ result: CommandResult, _ host: TargetHost) -> String? {
    guard (result.standardError + result.standardOutput).contains("remove lock to allow") else { return nil }
    return
      "\(Self.locks) has a lock that keeps zypper from it: \"zypper locks\" shows them, \"zypper removelock\" "
      + "takes one out"
  }

  private func zypper(_ arguments: [String]) -> Command {
    command("zypper", ["--non-interactive"] + arguments)
  }
}
