import Bundle
import FoundationEssentials
import Host
import Integrity
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
  let architecture: Architecture
  let glibcMinor: Int
  let requirements: [FilePath]
  let extra: [String]
  let sourceDistributions: Bool
  var pip: PrivatePip

  /// An index.
  ///
  /// - Parameters:
  ///   - folder: Its folder in `outputs/`.
  ///   - pythons: The Pythons that shall be able to install from it, as minor versions of Python 3.
  ///   - architecture: The architecture of the target.
  ///   - glibcMinor: The oldest C library among the targets, as minor version of glibc 2 (``PackageTarget/glibcMinor``).
  ///   - requirements: Requirement files in pip's format. All are installable together if pip finds a way, else each
  ///     by itself.
  ///   - extra: More packages, each a requirement such as `cython<3`, which need not agree with anything else.
  ///   - sourceDistributions: Whether source distributions are carried too.
  ///   - interpreter: A Python 3.9 or newer. pip need not be installed for it.
  ///   - pip: The command that runs a pip for that Python, with the given arguments.
  ///   - cache: A folder to keep a recent pip in.
  public init(
    folder: BundlePath, pythons: [Int], architecture: Architecture, glibcMinor: Int, requirements: [FilePath],
    extra: [String], sourceDistributions: Bool, interpreter: FilePath,
    pip: @escaping @Sendable ([String]) -> Command, cache: FilePath
  ) {
    self.folder = folder
    self.pythons = Set(pythons).sorted()
    self.architecture = architecture
    self.glibcMinor = glibcMinor
    self.requirements = requirements
    self.extra = extra
    self.sourceDistributions = sourceDistributions
    self.pip = PrivatePip(interpreter: interpreter, pip: pip, cache: cache)
  }

  /// Counts up when the same inputs give another resolution.
  private static let format = 1

  /// What was asked for, of which indexes, by which pip. URLs are without credentials.
  ///
  /// - Throws: ``PythonIndexError`` or `CommandError`.
  public func inputs() async throws -> String {
    try check()
    try await pip.prepare()
    let settings = try await pip.ask(job(for: nil))
    return hidingCredentials(
      """
      format \(Self.format)
      pythons \(pythons) on \(architecture.rawValue) with glibc 2.\(glibcMinor)
      extra \(extra)
      source distributions \(sourceDistributions)
      \(settings)
      """)
  }

  /// Asks pip for each Python which files are needed.
  ///
  /// - Throws: ``PythonIndexError`` with pip's reasons, or `CommandError`.
  public func resolve(_ say: @escaping @Sendable (String) -> Void) async throws -> MirrorResolution {
    try check()
    try await pip.prepare()
    say("asking pip for the files of \(names(pythons))")
    var answers: [Int: ResolverAnswer] = [:]
    var failures: [Int: String] = [:]
    var broken: (any Error)?
    await forEachConcurrently(pythons, limit: pythons.count) { python in
      await Result { try await self.answer(for: python) }
    } onResult: { python, result in
      switch result {
      case .success(let answer):
        if let failure = answer.failure {
          failures[python] = failure
        } else {
          answers[python] = answer
          say("Python 3.\(python): \(Set((answer.files ?? []).map(\.name)).count) files")
        }
      case .failure(let error): broken = error
      }
    }
    if let broken { throw broken }
    try Task.checkCancellation()
    guard failures.isEmpty else {
      throw PythonIndexError.unresolvable(failures, requirements, architecture)
    }
    var merged = MergedFiles()
    for python in pythons {
      guard let answer = answers[python] else { continue }
      for file in answer.files ?? [] { try merged.add(file) }
      for warning in answer.warnings ?? [] { merged.warn(warning) }
    }
    return try merged.resolution()
  }

  /// Writes the pages, and each wheel's metadata beside it, so that pip can choose without fetching the wheel
  /// (PEP 658).
  ///
  /// - Throws: ``PythonIndexError`` or `Errno`.
  public func makeIndex(
    of resolution: MirrorResolution, in content: FilePath, to destination: FilePath
  ) async throws {
    try await offload {
      try SimpleIndex(resolution, content: content).write(to: destination)
    }
  }

  private func answer(for python: Int) async throws -> ResolverAnswer {
    let text = try await pip.ask(job(for: python))
    guard let answer = try? JSONDecoder().decode(ResolverAnswer.self, from: Data(text.utf8)) else {
      throw PythonIndexError.strangeAnswer(String(text.prefix(200)))
    }
    return answer
  }

  private func job(for python: Int?) -> ResolverJob {
    ResolverJob(
      pip: pip.folder.string, python: python.map { "3.\($0)" }, machine: architecture.machineName,
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

extension Result where Failure == any Error, Success: Sendable {
  /// What the work returned or threw.
  fileprivate init(_ work: () async throws -> Success) async {
    do { self = .success(try await work()) } catch { self = .failure(error) }
  }
}
