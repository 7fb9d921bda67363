import Cache
import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// A pip in a folder of its own, and the Python that runs our resolver (`Resolver/resolve.py`) with it.
///
/// The pip of a distribution is often too old to resolve for another Python correctly, and never to be changed.
struct PrivatePip: Sendable {
  let interpreter: FilePath
  /// Runs any pip, only to fetch the private one.
  let pip: @Sendable ([String]) -> Command
  let cache: Cache
  /// What programs have answered before.
  let memory: ProgramMemory
  /// How pip is configured beside what the user configured, for tests.
  var environment: [String: String?] = [:]

  /// The versions that the resolver was seen working with: 25.0, 26.0 and 26.3.
  static let versions = "pip>=25.0,<27"

  private static let scripts = "kubespray-offline-resolver"

  private static let files: KeyValuePairs = [
    "resolve.py": PackageResources.resolve_py, "resolver.py": PackageResources.resolver_py,
    "resolver_files.py": PackageResources.resolver_files_py,
    "resolver_pip.py": PackageResources.resolver_pip_py,
    "resolver_texts.py": PackageResources.resolver_texts_py,
  ]

  /// Fetches the private pip with the resolver, unless it is there.
  ///
  /// - Returns: The folder in which the package `pip` lies.
  /// - Throws: ``PythonIndexError/noPip(_:)``, `CommandError` or `Errno`.
  @discardableResult
  func prepare() async throws -> FilePath {
    var key = CacheKey(["versions": Self.versions])
    for (name, content) in Self.files { key.add(name, Digest(of: content).hex) }
    return try await cache.entry(.pip, "\(key)") { folder in
      let result = try await pip([
        "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--ignore-installed", "--target",
        folder.string, Self.versions,
      ]).run()
      guard result.status == 0 else { throw PythonIndexError.noPip(result.standardError) }
      let scripts = folder.appending(Self.scripts)
      try createDirectories(scripts)
      for (name, content) in Self.files { try writeAtomically(content, to: scripts.appending(name)) }
    }
  }

  /// What of the environment would contradict the options that are given to pip.
  static let neutral: [String: String?] = [
    "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": nil, "PIP_PYTHON": nil, "PIP_PREFIX": nil,
    "PIP_PLATFORM": nil,
    "PIP_ABI": nil, "PIP_REQUIREMENT": nil, "PIP_NO_DEPS": nil, "PIP_QUIET": nil, "PIP_VERBOSE": nil,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONIOENCODING": "utf-8",
  ]

  /// What decides a resolution beside the job and the state of the servers, without credentials; asked only when it may
  /// have changed.
  ///
  /// - Throws: ``PythonIndexError`` or `CommandError`.
  func settings(_ job: ResolverJob) async throws -> String {
    let folder = FilePath(job.pip)
    let own = [folder.appending("pip")] + Self.files.map { folder.appending("\(Self.scripts)/\($0.key)") }
    let question = try encoded(job) + environment.map { "\($0)=\($1 ?? "")" }.sorted().joined()
    let answer = try await memory.answer(
      of: interpreter, topic: "pip", question: question,
      variables: ["PIP_", "PYTHON", "HOME", "XDG_", "VIRTUAL_ENV"]
    ) { () async throws -> ProgramMemory.Answer? in
      let answer = try JSONDecoder().decode(ResolverSettings.self, from: Data(try await ask(job).utf8))
      return ProgramMemory.Answer(
        hidingCredentials(answer.settings), dependingOn: own + answer.read.map { FilePath($0) })
    }
    return answer?.text ?? ""
  }

  /// Runs the resolver for the Pythons of a job.
  ///
  /// - Returns: An answer for each of them, in their order.
  /// - Throws: ``PythonIndexError`` or `CommandError`.
  func answers(to job: ResolverJob) async throws -> [ResolverAnswer] {
    let text = try await ask(job)
    let found = try? JSONDecoder().decode(ResolverAnswers.self, from: Data(text.utf8))
    let answers = job.pythons.compactMap { found?.answers[$0] }
    guard answers.count == job.pythons.count else {
      throw PythonIndexError.strangeAnswer(String(text.prefix(200)))
    }
    return answers
  }

  /// Runs the resolver.
  ///
  /// - Returns: Its answer, a JSON text.
  /// - Throws: ``PythonIndexError`` or `CommandError`.
  func ask(_ job: ResolverJob) async throws -> String {
    let changes = Self.neutral.merging(environment) { _, new in new }
    let command = Command(
      interpreter.string, ["-I", FilePath(job.pip).appending("\(Self.scripts)/resolve.py").string],
      environment: changes, input: try encoded(job))
    let result = try await command.run()
    guard result.status == 0 else { throw PythonIndexError.broken(result.standardError) }
    return result.standardOutput
  }

  private func encoded(_ job: ResolverJob) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(job), as: UTF8.self)
  }
}
