import Cache
import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// The virtual environment in which a kubespray's variables are evaluated.
///
/// It is made from the tree's own requirements.txt, with ansible-core in place of the full `ansible` package, in its
/// final folder (environments cannot be moved). With the full package it is another environment.
public struct PythonEnvironment: Sendable {
  /// The environment's folder.
  public let path: FilePath
  /// Whether all collections are installed, not only ansible-core.
  public let hasFullAnsible: Bool
  /// The Python that it was made with.
  private let interpreter: PythonInterpreter
  /// The tree's requirements.txt.
  private let requirements: String
  private let cache: Cache
  /// Whether it is made of pinned packages, and so can get no others.
  private var isPinned = false
  private var mayFetch = true
  /// What a catalog made with it depends on.
  let identity: String
  /// What it was made of, where pip reports that (since pip 22.2).
  public var packages: PinnedPackages? {
    PinnedPackages(
      report: path.appending(Self.reportName), python: "3.\(interpreter.minor)",
      hasFullAnsible: hasFullAnsible)
  }

  /// Raised when an environment that was ready is none any more: 2 has a program that was seen to run.
  private static let format = 2
  /// pip's report of what it installed.
  private static let reportName = "pip-report.json"

  /// The Python of the environment.
  public var python: FilePath { path.appending("bin/python") }

  /// The version of Python, such as `3.11.2`.
  public var pythonVersion: String { interpreter.versionText }

  /// Gives the environment for a tree, making it when it is not there yet.
  ///
  /// - Parameters:
  ///   - tree: The kubespray tree with its requirements.txt.
  ///   - setting: `auto`, or the name or path of a Python (setting `python.executable`).
  ///   - cache: Where it is kept.
  ///   - pinned: What it is to be made of, and of nothing else.
  ///   - mayFetch: Whether one may be made, for which pip asks the network.
  ///   - progress: Called with short lines about what is being done.
  /// - Throws: ``PythonEnvironmentError``, `CommandError` or `FileError`.
  public static func prepare(
    for tree: KubesprayTree, interpreter setting: String = "auto", cache: Cache,
    pinned: PinnedPackages? = nil, mayFetch: Bool = true, progress: (@Sendable (String) -> Void)? = nil
  ) async throws -> PythonEnvironment {
    guard let requirements = try? readTypedText(tree.requirements) else {
      throw PythonEnvironmentError.noRequirements(tree.requirements)
    }
    let ansible = AnsibleRequirement(requirements: requirements)
    let interpreter = try await find(
      setting, for: ansible, ProgramMemory(folder: cache.folder(of: .programs)))
    var key = CacheKey([
      "format": "\(format)", "python": "\(interpreter.path) \(interpreter.versionText)",
      "requirements": requirements,
    ])
    if let pinned { key.add("pinned", pinned.requirements) }
    func environment(_ path: FilePath, isFull: Bool) -> PythonEnvironment {
      var environment = PythonEnvironment(
        path: path, hasFullAnsible: isFull, interpreter: interpreter, requirements: requirements,
        cache: cache, identity: "\(key)")
      environment.mayFetch = mayFetch
      return environment
    }
    if let pinned {
      guard pinned.python == "3.\(interpreter.minor)" else {
        throw PythonEnvironmentError.otherPython(
          interpreter.path, found: "3.\(interpreter.minor)", pinned.python)
      }
      let path = try await cache.entry(.environments, "\(key)") { path in
        try await environment(path, isFull: pinned.hasFullAnsible)
          .make([pinned.requirements], areHashed: true, progress: progress)
      }
      var made = environment(path, isFull: pinned.hasFullAnsible)
      made.isPinned = true
      return made
    }
    for name in ["\(key)", "\(key)-full"] { try await discardIfBroken(name, cache) }
    if let path = try await cache.use(.environments, "\(key)-full") {
      progress?("the Python environment is ready")
      return environment(path, isFull: true)
    }
    let blank = environment("", isFull: false)
    guard ansible.isReduced else { return try await blank.withFullAnsible(progress: progress) }
    var isReady = true
    do {
      let path = try await cache.entry(.environments, "\(key)") { path in
        isReady = false
        try await environment(path, isFull: false).make(ansible.coreLines, progress: progress)
      }
      if isReady { progress?("the Python environment is ready") }
      return environment(path, isFull: false)
    } catch let error as PythonEnvironmentError where mayFetch {
      progress?("\(error)")
      progress?("trying again with the requirements as they are")
      return try await blank.withFullAnsible(progress: progress)
    }
  }

  /// The environment with the full `ansible` package, for a kubespray whose variables need a collection.
  ///
  /// - Throws: ``PythonEnvironmentError`` or `CommandError`.
  public func withFullAnsible(progress: (@Sendable (String) -> Void)? = nil) async throws -> PythonEnvironment
  {
    guard !isPinned else { throw PythonEnvironmentError.fullAnsibleNotPinned }
    func full(_ path: FilePath) -> PythonEnvironment {
      var full = PythonEnvironment(
        path: path, hasFullAnsible: true, interpreter: interpreter, requirements: requirements, cache: cache,
        identity: identity)
      full.mayFetch = mayFetch
      return full
    }
    let path = try await cache.entry(.environments, "\(identity)-full") { path in
      try await full(path).make([requirements], progress: progress)
      progress?("installed the full ansible package")
    }
    return full(path)
  }

  /// The environment with the full `ansible` package, if one has been made.
  ///
  /// - Throws: `Errno`.
  public func fullIfThere() async throws -> PythonEnvironment? {
    guard !hasFullAnsible, let path = try await cache.use(.environments, "\(identity)-full") else {
      return nil
    }
    return PythonEnvironment(
      path: path, hasFullAnsible: true, interpreter: interpreter, requirements: requirements, cache: cache,
      identity: identity)
  }

  /// A command that runs pip for this environment.
  ///
  /// - Parameter arguments: What follows `pip`, such as `["install", "-r", "FILE"]`.
  public func pip(_ arguments: [String]) -> Command {
    let quiet = ["--disable-pip-version-check", "--no-input"]
    var changes = PythonVariables.pipChanges(prefix: prefix(of: interpreter.path))
    if !mayFetch { changes["PIP_NO_INDEX"] = "1" }
    if interpreter.canInstallFromOutside {
      return Command(
        interpreter.path.string, ["-m", "pip", "--python", python.string] + quiet + arguments,
        environment: changes)
    }
    return Command(python.string, ["-m", "pip"] + quiet + arguments, environment: changes)
  }

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
    _ lines: [String], areHashed: Bool = false, progress: (@Sendable (String) -> Void)?
  ) async throws {
    guard mayFetch else { throw PythonEnvironmentError.notMade }
    progress?("making a Python environment with \(interpreter.path) (\(pythonVersion))")
    try removeTree(path)
    let options = interpreter.canInstallFromOutside ? ["--without-pip"] : []
    _ = try await Command(
      interpreter.path.string, ["-m", "venv"] + options + [path.string],
      environment: PythonVariables.pipChanges()
    ).output()
    let file = path.appending("requirements.txt")
    try writeAtomically(lines.joined(separator: "\n") + "\n", to: file)
    progress?("installing the Python packages of kubespray's requirements.txt")
    try await install(file, areHashed: areHashed)
    try await check()
  }

  /// Forgets an environment that has lost its program.
  private static func discardIfBroken(_ name: String, _ cache: Cache) async throws {
    guard let path = try await cache.use(.environments, name),
      !isExecutable(path.appending("bin/ansible-playbook"))
    else { return }
    cache.discard(.environments, name)
  }

  /// The program that evaluates.
  var program: FilePath { path.appending("bin/ansible-playbook") }

  /// Makes sure that the program runs: pip may have been content and have put it elsewhere.
  private func check() async throws(PythonEnvironmentError) {
    var changes = PythonVariables.changes()
    for (name, value) in AnsibleVariables.changes(folder: path.string) {
      changes.updateValue(value, forKey: name)
    }
    // Not the one of the current folder.
    let settings = path.appending("ansible.cfg")
    if (try? writeAtomically("", to: settings)) != nil {
      changes.updateValue(settings.string, forKey: "ANSIBLE_CONFIG")
    }
    let said: String
    do throws(CommandError) {
      let result = try await Command(program.string, ["--version"], environment: changes).run()
      guard result.status != 0 else { return }
      said = result.standardError.isEmpty ? result.standardOutput : result.standardError
    } catch {
      if case .cancelled = error { throw .programFails(program, "it was interrupted") }
      said = error.description
    }
    let lines = said.split(whereSeparator: \.isNewline).suffix(6).map { "  \($0)" }
    throw .programFails(program, hidingCredentials(lines.joined(separator: "\n")))
  }

  private func install(_ file: FilePath, areHashed: Bool) async throws {
    let arguments =
      ["install", "--quiet", "--requirement", file.string]
      + (areHashed ? ["--require-hashes", "--no-deps"] : [])
    var result = try await pip(arguments + ["--report", path.appending(Self.reportName).string]).run()
    // Before pip 22.2; it says so before it does anything.
    if result.status != 0, result.standardError.contains("no such option: --report") {
      result = try await pip(arguments).run()
    }
    guard result.status != 0 else { return }
    let lines = result.standardError.split(whereSeparator: \.isNewline).suffix(6).map { "  \($0)" }
    throw PythonEnvironmentError.installFailed(hidingCredentials(lines.joined(separator: "\n")))
  }
}
