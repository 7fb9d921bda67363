import Bundle
import Cache
import Concurrency
import Files
import FoundationEssentials
import Host
import SystemPackage

/// A package index for Python, which any web server can serve: PEP 503's simple repository in HTML, with wheels for
/// several versions of Python.
///
/// pip's own resolver decides, with the index, proxies and credentials that the user configured for it, once for
/// each Python. Nothing is built or installed. Requirements must be installable from wheels, so that the target
/// needs no compiler; source distributions of the same versions can be carried beside them.
public struct PythonIndex: Mirror {
  /// Its folder in `outputs/`.
  public let folder: BundlePath
  let pythons: [Int]
  let architectures: [Architecture]
  let glibcMinor: Int
  let requirements: [FilePath]
  let extra: [String]
  let sourceDistributions: Bool
  var pip: PrivatePip

  /// An index.
  ///
  /// - Parameters:
  ///   - folder: Its folder in `outputs/`.
  ///   - pythons: The Pythons that must be able to install from it, as minor versions of Python 3.
  ///   - architectures: The architectures of the targets; one index has the wheels for all of them.
  ///   - glibcMinor: The oldest C library among the targets, as minor version of glibc 2 (``PackageTarget/glibcMinor``).
  ///   - requirements: Requirement files in pip's format. All are installable together if pip finds a way, else each
  ///     by itself.
  ///   - extra: More packages, each a requirement such as `cython<3`, which need not agree with anything else.
  ///   - sourceDistributions: Whether source distributions are carried too.
  ///   - interpreter: A Python 3.9 or newer. pip need not be installed for it.
  ///   - pip: The command that runs a pip for that Python, with the given arguments.
  ///   - cache: A folder to keep a recent pip in.
  public init(
    folder: BundlePath, pythons: [Int], architectures: [Architecture], glibcMinor: Int,
    requirements: [FilePath],
    extra: [String], sourceDistributions: Bool, interpreter: FilePath,
    pip: @escaping @Sendable ([String]) -> Command, cache: Cache
  ) {
    self.folder = folder
    self.pythons = Set(pythons).sorted()
    self.architectures = architectures
    self.glibcMinor = glibcMinor
    self.requirements = requirements
    self.extra = extra
    self.sourceDistributions = sourceDistributions
    self.pip = PrivatePip(
      interpreter: interpreter, pip: pip, cache: cache,
      memory: ProgramMemory(folder: cache.folder(of: .programs)))
  }

  /// Fetches the pip that resolves, which needs to know nothing of what will be asked.
  ///
  /// - Throws: ``PythonIndexError``, `CommandError` or `Errno`.
  public static func prepare(
    interpreter: FilePath, pip: @escaping @Sendable ([String]) -> Command, cache: Cache
  ) async throws {
    try await PrivatePip(
      interpreter: interpreter, pip: pip, cache: cache,
      memory: ProgramMemory(folder: cache.folder(of: .programs))
    ).prepare()
  }

  /// The same questions, asked of a finished index in a folder and of nothing else.
  ///
  /// - Parameter index: The absolute folder that ``makeIndex(of:in:to:)`` wrote, with its files.
  public func asking(index: FilePath) -> PythonIndex {
    var asking = self
    asking.pip.environment.merge([
      "PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "file://\(index.escaped)/", "PIP_EXTRA_INDEX_URL": nil,
      "PIP_FIND_LINKS": nil, "PIP_NO_INDEX": nil, "PIP_CONSTRAINT": nil,
    ]) { _, new in new }
    return asking
  }

  /// Counts up when the same inputs give another resolution.
  private static let format = 1

  /// What was asked for, of which indexes, by which pip. URLs are without credentials.
  ///
  /// - Throws: ``PythonIndexError`` or `CommandError`.
  public func inputs() async throws -> String {
    try check()
    let settings = try await pip.settings(try await job(for: [], architectures.first ?? .current))
    return hidingCredentials(
      """
      format \(Self.format)
      pythons \(pythons) on \(architectures.names) with glibc 2.\(glibcMinor)
      extra \(extra)
      source distributions \(sourceDistributions)
      \(settings)
      """)
  }

  /// Pythons, architectures and requirements.
  ///
  /// - Throws: `FileError` when a requirements file cannot be read.
  public func asked() throws -> [String] {
    let files = try requirements.flatMap { file in
      // pip reads files in UTF-16, too; here they are compared only.
      TypedText(try readText(file)).lines.map { $0.words.joined(separator: " ") }
    }
    let wanted = Set(files.filter { !$0.isEmpty } + extra.map { "extra \($0)" }).sorted()
    let pythons = pythonNames.joined(separator: " ")
    return ["Python \(pythons) on \(architectures.names) with glibc 2.\(glibcMinor)"]
      + (sourceDistributions ? ["source distributions"] : []) + wanted.map { hidingCredentials($0) }
  }

  /// Asks pip for each Python which files are needed.
  ///
  /// - Throws: ``PythonIndexError`` with pip's reasons, or `CommandError`.
  public func resolve(_ say: @escaping @Sendable (String) -> Void) async throws -> MirrorResolution {
    let (answers, failures) = try await ask(say)
    guard failures.isEmpty else {
      throw PythonIndexError.unresolvable(failures.sorted { $0.machine < $1.machine }, requirements)
    }
    var merged = MergedFiles()
    for machine in machines {
      guard let answer = answers[machine] else { continue }
      for file in answer.files ?? [] { try merged.add(file) }
      for warning in answer.warnings ?? [] { merged.warn(warning) }
    }
    return try merged.resolution()
  }

  /// For which Pythons and architectures the requirements cannot be installed, and pip's own reason.
  ///
  /// - Throws: ``PythonIndexError``, or `CommandError`.
  public func failures() async throws -> [(machine: String, text: String)] {
    try await ask { _ in }.failures.sorted { $0.machine < $1.machine }
  }

  /// The Pythons, such as `3.12`.
  public var pythonNames: [String] { pythons.map { "3.\($0)" } }

  private var machines: [Machine] {
    architectures.flatMap { architecture in
      pythons.map { Machine(python: $0, architecture: architecture) }
    }
  }

  /// Lets pip resolve for each machine.
  private func ask(
    _ say: @escaping @Sendable (String) -> Void
  ) async throws -> (answers: [Machine: ResolverAnswer], failures: [(machine: String, text: String)]) {
    try check()
    try await pip.prepare()
    say("asking pip for the files of \(names(pythons))")
    var answers: [Machine: ResolverAnswer] = [:]
    var failures: [(machine: String, text: String)] = []
    var broken: (any Error)?
    await forEachConcurrently(architectures, limit: architectures.count) { architecture in
      await Result { try await self.answers(on: architecture) }
    } onResult: { architecture, result in
      switch result {
      case .success(let found):
        for (machine, answer) in found {
          if let failure = answer.failure {
            failures.append(("Python \(machine.pythonName) on \(architecture.rawValue)", failure))
          } else {
            answers[machine] = answer
            let place = architectures.count > 1 ? " on \(architecture.rawValue)" : ""
            say(
              "Python \(machine.pythonName)\(place): "
                + counted(Set((answer.files ?? []).map(\.name)).count, "file"))
          }
        }
      case .failure(let error): broken = error
      }
    }
    if let broken { throw broken }
    try Task.checkCancellation()
    return (answers, failures)
  }

  /// Writes the pages, and each wheel's metadata beside it, so that pip can choose without fetching the wheel
  /// (PEP 658).
  ///
  /// - Returns: Nothing: pip knows no signatures.
  /// - Throws: ``PythonIndexError`` or `FileError`.
  @discardableResult public func makeIndex(
    of resolution: MirrorResolution, in content: FilePath, to destination: FilePath
  ) async throws -> String? {
    try await offload {
      try SimpleIndex(resolution, content: content).write(to: destination)
    }
    return nil
  }

  /// What a wheel is chosen for.
  private struct Machine: Hashable {
    /// The minor version of Python 3.
    let python: Int
    let architecture: Architecture

    var pythonName: String { "3.\(python)" }
  }

  /// What pip says for each Python, one after the other in one process: reading the pages of the index takes longer
  /// than choosing among what they list.
  private func answers(on architecture: Architecture) async throws -> [(Machine, ResolverAnswer)] {
    let answers = try await pip.answers(to: try await job(for: pythonNames, architecture))
    return zip(pythons, answers).map { (Machine(python: $0, architecture: architecture), $1) }
  }

  private func job(for pythons: [String], _ architecture: Architecture) async throws -> ResolverJob {
    ResolverJob(
      pip: try await pip.prepare().string, pythons: pythons,
      machine: architecture.machineName,
      platforms: Self.platforms(architecture, glibcMinor: glibcMinor),
      requirements: requirements.map(\.string), extra: extra, sources: sourceDistributions)
  }

  private func check() throws(PythonIndexError) {
    guard !pythons.isEmpty else { throw .noPythons }
    for file in requirements where (try? FileDescriptor.open(file, .readOnly).close()) == nil {
      throw .unreadable(file)
    }
  }

  private func names(_ pythons: [Int]) -> String {
    "Python " + pythons.map { "3.\($0)" }.joined(separator: ", ")
  }
}
