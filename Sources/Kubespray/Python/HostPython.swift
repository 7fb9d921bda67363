import Cache
import Files
import Host
import Integrity
import SystemPackage

/// A Python of this machine, with a pip to run.
public struct HostPython: Sendable {
  /// The program.
  public let path: FilePath
  /// The Python whose pip is run: the same, or one in an environment of its own.
  private let pipPython: FilePath

  /// Whether this machine has a Python 3, at least of that minor version, that can make environments and fill them.
  /// Programs whose answer is in `memory` are not started for it.
  public static func isPossible(minor: Int, memory: ProgramMemory) async -> Bool {
    await first(minor: minor, memory) != nil
  }

  /// Finds a Python.
  ///
  /// - Parameters:
  ///   - setting: `auto`, or the name or path of a Python (setting `python.executable`).
  ///   - cache: A folder to put a pip into when the Python has none.
  ///   - memory: What programs have answered before.
  /// - Throws: ``PythonEnvironmentError``, `CommandError` or `FileError`.
  public static func find(
    _ setting: String = "auto", cache: Cache, memory: ProgramMemory
  ) async throws -> HostPython {
    let family = (try? OSRelease.current())?.family
    let python: PythonInterpreter
    if setting == "auto" {
      guard let found = await first(minor: 10, memory) else {
        throw PythonEnvironmentError.noPython(minors: 10...13, found: [], family)
      }
      python = found
    } else {
      guard let path = findExecutable(setting), let found = await PythonInterpreter.probe(path, memory) else {
        throw PythonEnvironmentError.notPython(setting)
      }
      guard found.isUsable else { throw PythonEnvironmentError.incomplete(path, minor: found.minor, family) }
      python = found
    }
    if python.canInstallFromOutside { return HostPython(path: python.path, pipPython: python.path) }
    return HostPython(path: python.path, pipPython: try await environment(with: python, cache))
  }

  /// A command that runs some pip for this Python.
  public func pip(_ arguments: [String]) -> Command {
    Command(
      pipPython.string, ["-m", "pip", "--disable-pip-version-check", "--no-input"] + arguments,
      environment: PythonVariables.pipChanges(prefix: prefix(of: path)))
  }

  private static func first(minor: Int, _ memory: ProgramMemory) async -> PythonInterpreter? {
    for name in PythonInterpreter.candidates {
      guard let path = findExecutable(name), let python = await PythonInterpreter.probe(path, memory) else {
        continue
      }
      if python.minor >= minor, python.isUsable { return python }
    }
    return nil
  }

  /// An environment that has the pip of `ensurepip`: Debian's Python comes without one of its own.
  private static func environment(with python: PythonInterpreter, _ cache: Cache) async throws -> FilePath {
    let key = CacheKey(["python": "\(python.path) \(python.versionText)"])
    let folder = try await cache.entry(.environments, "pip-\(key)") { folder in
      try removeTree(folder)
      _ = try await Command(
        python.path.string, ["-m", "venv", folder.string], environment: PythonVariables.pipChanges()
      ).output()
    }
    return folder.appending("bin/python")
  }
}

/// The folder that a Python belongs to: that above its `bin`.
func prefix(of python: FilePath) -> FilePath { python.removingLastComponent().removingLastComponent() }
