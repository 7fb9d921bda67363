import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// The virtual environment in which a kubespray's variables are evaluated.
///
/// It is made from the tree's own requirements.txt, with ansible-core in place of the full `ansible` package,
/// in its final folder (environments cannot be moved); a stamp written last says that it is complete.
public struct PythonEnvironment: Sendable {
  /// The environment's folder.
  public let path: FilePath
  /// The Python that it was made with.
  private let interpreter: PythonInterpreter
  /// What a catalog made with it depends on.
  let identity: String

  /// The Python of the environment.
  public var python: FilePath { path.appending("bin/python") }

  /// The version of Python, such as `3.11.2`.
  public var pythonVersion: String { interpreter.versionText }

  /// Whether all collections are installed, not only ansible-core.
  public var hasFullAnsible: Bool { (try? readText(stampFile))?.hasSuffix(Self.fullMark) ?? false }

  private var stampFile: FilePath { path.appending("kubespray-offline.stamp") }
  private static let fullMark = "\nfull\n"

  /// Gives the environment for a tree, making it when it is not there yet.
  ///
  /// - Parameters:
  ///   - tree: The kubespray tree with its requirements.txt.
  ///   - interpreter: `auto`, or the name or path of a Python (setting `python.executable`).
  ///   - cache: The folder to make it in.
  ///   - progress: Called with short lines about what is being done.
  /// - Throws: ``PythonEnvironmentError``, `CommandError` or `FileError`.
  public static func prepare(
    for tree: KubesprayTree, interpreter setting: String = "auto", cache: FilePath,
    progress: (@Sendable (String) -> Void)? = nil
  ) async throws -> PythonEnvironment {
    guard let requirements = try? readText(tree.requirements) else {
      throw PythonEnvironmentError.noRequirements(tree.requirements)
    }
    let ansible = AnsibleRequirement(requirements: requirements)
    let interpreter = try await find(setting, for: ansible, ProgramMemory(cache: cache))
    let identity = Digest(of: Array("\(interpreter.path) \(interpreter.versionText)\n\(requirements)".utf8))
      .hex
    try createDirectories(cache)
    let absolute = try realPath(cache)
    let environment = PythonEnvironment(
      path: absolute.appending("venv-\(identity.prefix(16))"), interpreter: interpreter, identity: identity)
    if let stamp = try? readText(environment.stampFile), stamp.hasPrefix(environment.stampText) {
      progress?("the Python environment is ready")
      return environment
    }
    try await environment.make(requirements: requirements, ansible: ansible, progress: progress)
    return environment
  }

  /// Adds the full `ansible` package, for a kubespray whose variables need a collection.
  ///
  /// - Throws: ``PythonEnvironmentError`` or `CommandError`.
  public func installFullAnsible(progress: (@Sendable (String) -> Void)? = nil) async throws {
    try await install(path.appending("requirements.txt"))
    try writeAtomically(stampText + Self.fullMark, to: stampFile)
    progress?("installed the full ansible package")
  }

  /// A command that runs pip for this environment.
  ///
  /// - Parameter arguments: What follows `pip`, such as `["install", "-r", "FILE"]`.
  public func pip(_ arguments: [String]) -> Command {
    let quiet = ["--disable-pip-version-check", "--no-input"]
    // A user's "user = true" would make pip refuse to install into an environment.
    let changes: [String: String?] = ["PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": nil, "PYTHONHOME": nil]
    if interpreter.canInstallFromOutside {
      return Command(
        interpreter.path.string, ["-m", "pip", "--python", python.string] + quiet + arguments,
        environment: changes)
    }
    return Command(python.string, ["-m", "pip"] + quiet + arguments, environment: changes)
  }

  private var stampText: String { "\(path)\n\(identity)" }

  private static func find(
    _ setting: String, for ansible: AnsibleRequirement, _ memory: ProgramMemory
  ) async throws(PythonEnvironmentError) -> PythonInterpreter {
    let family = (try? OSRelease.current())?.family
    if setting != "auto" {
      guard let path = findExecutable(setting), let python = await PythonInterpreter.probe(path, memory)
      else {
        throw .notPython(setting)
      }
      guard python.isUsable else { throw .incomplete(path, minor: python.minor, family) }
      return python
    }
    var found: [PythonInterpreter] = []
    for name in PythonInterpreter.candidates {
      guard let path = findExecutable(name), let python = await PythonInterpreter.probe(path, memory) else {
        continue
      }
      if ansible.pythonMinors.contains(python.minor), python.isUsable { return python }
      found.append(python)
    }
    return try PythonInterpreter.choose(among: found, for: ansible.pythonMinors, family: family)
  }

  private func make(
    requirements: String, ansible: AnsibleRequirement, progress: (@Sendable (String) -> Void)?
  ) async throws {
    progress?("making a Python environment with \(interpreter.path) (\(pythonVersion))")
    try removeTree(path)
    let options = interpreter.canInstallFromOutside ? ["--without-pip"] : []
    _ = try await Command(interpreter.path.string, ["-m", "venv"] + options + [path.string]).output()
    try writeAtomically(requirements, to: path.appending("requirements.txt"))
    let reduced = path.appending("requirements-core.txt")
    try writeAtomically(ansible.coreLines.joined(separator: "\n") + "\n", to: reduced)
    progress?("installing the Python packages of kubespray's requirements.txt")
    do {
      try await install(reduced)
      try writeAtomically(stampText + (ansible.isReduced ? "\ncore\n" : Self.fullMark), to: stampFile)
    } catch let error as PythonEnvironmentError where ansible.isReduced {
      progress?("\(error)")
      progress?("trying again with the requirements as they are")
      try await installFullAnsible(progress: progress)
    }
  }

  private func install(_ file: FilePath) async throws {
    let result = try await pip(["install", "--quiet", "--requirement", file.string]).run()
    guard result.status != 0 else { return }
    let lines = result.standardError.split(whereSeparator: \.isNewline).suffix(6).map { "  \($0)" }
    throw PythonEnvironmentError.installFailed(hidingCredentials(lines.joined(separator: "\n")))
  }
}
