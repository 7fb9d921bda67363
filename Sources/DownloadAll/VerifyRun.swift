import Bundle
import Console
import FoundationEssentials
import SystemPackage

/// Reads a bundle again and reports about it.
public enum VerifyRun {
  /// What was found.
  public struct Result: Sendable, Encodable {
    /// Something that is not as the manifest says.
    public struct Problem: Sendable, Encodable {
      /// The file's path in `outputs/`.
      public let path: String
      /// `missing`, `damaged` or `unexpected`.
      public let kind: String
      /// What was seen.
      public let detail: String
    }

    /// How many files the manifest has.
    public let files: Int
    /// The sum of their sizes, in bytes.
    public let bytes: Int64
    /// What is wrong, in order of paths.
    public let problems: [Problem]
  }

  /// Reads everything.
  ///
  /// - Throws: ``UnfinishedBundle``, ``ManifestError``, `Errno`, or `CancellationError`.
  public static func run(
    outputs: FilePath, emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) async throws -> Result {
    guard let manifest = try Manifest.load(from: outputs) else { throw UnfinishedBundle(outputs: outputs) }
    let stage = "verify"
    emit(.stageStarted(stage))
    emit(.stageTotals(stage, items: manifest.files.count, bytes: manifest.totalSize))
    let verifier = BundleVerifier(outputs: outputs, manifest: manifest)
    let problems = try await verifier.verify {
      emit(.bytes(stage, $0))
    } onFile: { file, problem in
      let outcome =
        problem.map {
          ItemOutcome.failed(.init(kind: $0.kind, subject: $0.path, detail: "\($0.kind): \($0.detail)"))
        } ?? .done
      emit(.itemFinished(stage, item: file.path.description, outcome, bytes: file.size))
    }
    emit(
      .stageFinished(stage, problems.isEmpty ? .done : .failed, summary: "\(manifest.files.count) files read")
    )
    return Result(
      files: manifest.files.count, bytes: manifest.totalSize,
      problems: problems.map { .init(path: $0.path, kind: $0.kind, detail: $0.detail) })
  }
}

/// A folder without a finished bundle.
public struct UnfinishedBundle: Error, CustomStringConvertible {
  /// The folder.
  public let outputs: FilePath

  /// A sentence for people.
  public var description: String {
    "\(outputs) has no \(Manifest.fileName): there is no bundle, or it is not finished"
  }
}
