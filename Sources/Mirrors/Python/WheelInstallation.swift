import Bundle
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// Installs wheels for a Python that is not on this machine, from files at hand: nothing is fetched or built, and
/// no code of the packages is run.
extension PythonIndex {
  /// Installs what a requirement file asks for, as ``resolve(_:)`` found it, into a folder: the packages themselves,
  /// `bin/` with their programs, and what else they bring, such as `share/`.
  ///
  /// - Parameters:
  ///   - requirements: The requirement file.
  ///   - python: The minor version of the Python 3 that is to run it.
  ///   - architecture: The architecture there.
  ///   - glibcMinor: The C library there, as minor version of glibc 2.
  ///   - wheels: A folder with the wheels of this index.
  ///   - interpreter: The path of that Python there, for the first lines of programs.
  ///   - folder: Where to; it must not be there.
  /// - Returns: What was installed, each as `name==version`, in order of names.
  /// - Throws: ``PythonIndexError``, `CommandError` or `FileError`.
  public func install(
    _ requirements: FilePath, python: Int, on architecture: Architecture, glibcMinor: Int,
    from wheels: FilePath,
    runBy interpreter: String, into folder: FilePath
  ) async throws -> [String] {
    let pipFolder = try await pip.prepare()
    var offline = pip
    offline.environment = Self.offline(wheels)
    let platforms = Self.platforms(architecture, glibcMinor: min(glibcMinor, self.glibcMinor))
    let answer = try await offline.answers(
      to: ResolverJob(
        pip: pipFolder.string, pythons: ["3.\(python)"], machine: architecture.machineName,
        platforms: platforms, requirements: [requirements.string], extra: [], sources: false))[0]
    if let failure = answer.failure {
      throw PythonIndexError.unresolvable(
        [(machine: "Python 3.\(python) on \(architecture.rawValue)", text: failure)], [requirements])
    }
    let packages = Set((answer.files ?? []).map { "\($0.project)==\($0.version)" }).sorted()
    let options =
      ["--quiet", "--no-input", "--no-deps", "--no-compile", "--no-warn-script-location"]
      + ["--target", folder.string, "--only-binary", ":all:", "--implementation", "cp"]
      + ["--python-version", "3.\(python)"] + platforms.flatMap { ["--platform", $0] }
    // The programs that pip writes name the Python that runs them, which it takes for its own.
    let code = """
      import sys
      sys.path.insert(0, sys.argv.pop(1))
      sys.executable = sys.argv.pop(1)
      from pip._internal.cli.main import main
      sys.exit(main())
      """
    let command = Command(
      pip.interpreter.string,
      ["-I", "-c", code, pipFolder.string, interpreter, "install"] + options + packages,
      environment: Self.offline(wheels).merging(PrivatePip.neutral) { $1 })
    let result = try await command.run()
    guard result.status == 0 else { throw PythonIndexError.notInstalled(result.standardError) }
    return packages
  }

  /// Makes pip see these files and nothing else.
  private static func offline(_ wheels: FilePath) -> [String: String?] {
    return [
      "PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "file://\(wheels.escaped)",
      "PIP_INDEX_URL": nil, "PIP_EXTRA_INDEX_URL": nil, "PIP_CONSTRAINT": nil,
    ]
  }
}

extension FilePath {
  /// The path as a part of a URL; in settings that hold several, blanks separate them (RFC 3986, section 2.3).
  var escaped: String {
    percentEncoded(string, keeping: "/")
  }
}
