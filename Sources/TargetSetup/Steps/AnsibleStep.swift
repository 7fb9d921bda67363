import Concurrency
import Console
import Files
import Host
import Integrity
import SystemPackage

/// Makes a virtual environment with kubespray's requirements from the bundle's index.
struct AnsibleStep: Step {
  let name = StepName.ansible
  let needs: [StepName] = [.nginx, .python, .extract]
  let usedFolders = ["files", "patches", "playbook", "pypi"]

  /// The last file of an environment, with what it was made of: one without it is not complete.
  static let stampName = "kubespray-offline.stamp"

  func check(_ context: SetupContext, _ journal: Journal) async throws -> StepState {
    let source = try TreeSource(context)
    let environment = source.environment
    guard let requirements = requirements(context.host, source),
      let stamp = try? readText(context.host.path(environment).appending(Self.stampName)),
      stamp == Self.stamp(requirements)
    else { return .needed("there is no environment with Ansible in \(environment)") }
    guard let version = await version(context.host, environment) else {
      return .needed("Ansible in \(environment) does not run")
    }
    return .done("\(version) in \(environment)")
  }

  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String {
    let source = try TreeSource(context)
    let environment = source.environment
    guard let requirements = requirements(context.host, source) else {
      throw StepError(
        "\(source.tree) has no requirements.txt", .first(.extract))
    }
    guard try context.repositories.hasPython else {
      throw StepError(
        "the bundle has no Python packages (pypi/)", .pythonPackages)
    }
    guard let python = try await HostPython.find(on: context.host) else {
      throw StepError("there is no suitable Python on this host", .first(.python))
    }
    let pip = PipClient(
      server: context.addresses.packageServer, release: context.addresses.releasePath,
      access: try context.access)
    try journal.makeFolder(environment.removingLastComponent())
    guard try journal.own(environment) else {
      throw StepError(
        "\(environment) exists and was not made by this program", .moveAway)
    }
    let place = context.host.path(environment)
    try await offload { () throws in try removeTree(place) }
    _ = try await context.host.output(Command(python.program, ["-m", "venv", place.string]))
    context.say(
      .info,
      "installing kubespray's requirements.txt from \(pip.index)", step: name)
    try await install(context.host, pip, source, place)
    guard let version = await version(context.host, environment) else {
      throw StepError(
        "Ansible was installed in \(environment) and does not run",
        .tryCommand("\(environment)/bin/ansible --version"))
    }
    try writeAtomically(Self.stamp(requirements), to: place.appending(Self.stampName))
    return "\(version) in \(environment)"
  }

  private func install(_ host: TargetHost, _ pip: PipClient, _ source: TreeSource, _ place: FilePath)
    async throws
  {
    // Compiling all collections takes longer than installing them, and a cluster uses few of them.
    let arguments =
      ["-m", "pip", "install", "--quiet", "--no-input", "--no-compile", "--no-cache-dir"]
      + pip.options
      + ["--requirement", host.path(source.tree).appending("requirements.txt").string]
    let python = place.appending("bin/python").string
    let result = try await host.run(Command(python, arguments, environment: pip.environment))
    guard result.status == 0 else {
      throw StepError(
        "Ansible cannot be installed from \(pip.index):\n\(HostPackages.lastLines(result))",
        .webServer(
          lacking: "if a package is missing, its version for this Python is not in the bundle (pypi.pythons)")
      )
    }
    // What every run imports; other users cannot keep compiled files here.
    let compiled = ["ansible", "yaml", "jinja2", "cryptography", "netaddr"]
    let code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    let library = FilePath(
      try await host.output(Command(python, ["-c", code])).split(whereSeparator: \.isNewline).first.map(
        String.init)
        ?? "")
    _ = await host.succeeds(
      Command(python, ["-m", "compileall", "-q"] + compiled.map { library.appending($0).string }))
  }

  private func version(_ host: TargetHost, _ environment: FilePath) async -> String? {
    let program = host.path(environment).appending("bin/ansible").string
    // Even asked for its version it makes a folder, which would be root's `.ansible`.
    let home = host.path(environment).appending(".ansible").string
    let command = Command(program, ["--version"], environment: ["ANSIBLE_HOME": home])
    guard let result = try? await host.run(command), result.status == 0 else {
      return nil
    }
    return result.standardOutput.split(whereSeparator: \.isNewline).first.map(String.init)
  }

  private func requirements(_ host: TargetHost, _ source: TreeSource) -> [UInt8]? {
    try? readBytes(host.path(source.tree).appending("requirements.txt"))
  }

  private static func stamp(_ requirements: [UInt8]) -> String { "\(Digest(of: requirements).hex)\n" }
}
