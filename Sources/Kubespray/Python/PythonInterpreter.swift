import Host
import SystemPackage

/// A Python on this machine and what it can do for a virtual environment.
struct PythonInterpreter: Sendable, Equatable {
  /// The program.
  let path: FilePath
  /// The version, such as 3.11.2 as `[3, 11, 2]`.
  let version: [Int]
  /// Whether it can make environments that have pip in them.
  let hasEnsurepip: Bool
  /// The version of its own pip, empty when it has none.
  let pip: [Int]

  var minor: Int { version.count > 1 ? version[1] : 0 }
  var versionText: String { version.map(String.init).joined(separator: ".") }

  /// Its own pip can install into an environment without pip (`pip --python`, since pip 22.3), which saves
  /// seconds over unpacking a pip for each environment.
  var canInstallFromOutside: Bool { !pip.lexicographicallyPrecedes([22, 3]) }

  /// Whether it can make an environment and fill it.
  var isUsable: Bool { canInstallFromOutside || hasEnsurepip }

  /// The names that `auto` looks for, newest first; the plain name covers systems with another one.
  static let candidates = ["python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3"]

  /// Asks a program what it is, unless that is remembered.
  ///
  /// - Returns: nil when it is not a Python 3 with the `venv` module.
  static func probe(_ path: FilePath, _ memory: ProgramMemory) async -> PythonInterpreter? {
    let question = String(decoding: PackageResources.probe_py, as: UTF8.self)
    let answer = await memory.answer(
      of: path, topic: "python", question: question, variables: ["PYTHON"]
    ) { () async -> ProgramMemory.Answer? in
      var changes = PythonVariables.changes()
      changes.updateValue("ignore", forKey: "PYTHONWARNINGS")
      let command = Command(path.string, ["-c", question], environment: changes)
      guard let result = try? await command.run() else { return nil }
      // A shim for a Python that is not there says so. It takes as long as the others.
      if result.status == 127, ProgramMemory.isShim(path) { return ProgramMemory.Answer("") }
      guard result.status == 0 else { return nil }
      let lines = result.standardOutput.split(whereSeparator: \.isNewline)
      return ProgramMemory.Answer(
        String(lines.first ?? ""), dependingOn: lines.dropFirst().map { FilePath(String($0)) })
    }
    let words = answer?.text.split(whereSeparator: \.isWhitespace) ?? []
    guard words.count >= 2 else { return nil }
    return PythonInterpreter(
      path: path, version: numbers(words[0]), hasEnsurepip: words[1] == "True",
      pip: words.count > 2 ? numbers(words[2]) : [])
  }

  private static func numbers(_ text: Substring) -> [Int] {
    text.split(separator: ".").map { Int($0.prefix(while: \.isNumber)) ?? 0 }
  }

  /// Picks the Python for an Ansible.
  ///
  /// One within the supported range is preferred, the newest first; a newer one is taken when there is no
  /// other, since pip itself refuses what cannot work.
  /// - Throws: ``PythonEnvironmentError`` when there is none.
  static func choose(
    among found: [PythonInterpreter], for minors: ClosedRange<Int>, family: OSRelease.Family?
  ) throws(PythonEnvironmentError) -> PythonInterpreter {
    let fitting = found.filter { minors.contains($0.minor) }
    let newer = found.filter { $0.minor > minors.upperBound }.sorted { $0.minor < $1.minor }
    let order = fitting.sorted { $0.minor > $1.minor } + newer
    if let best = order.first(where: \.isUsable) { return best }
    if let incomplete = order.first { throw .incomplete(incomplete.path, minor: incomplete.minor, family) }
    throw .noPython(minors: minors, found: found.map(\.versionText), family)
  }
}
