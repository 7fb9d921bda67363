import Bundle
import Console
import Files
import FoundationEssentials
import Supply
import SystemPackage
import Trust

/// Looks at a bundle again and reports about it.
public enum VerifyRun {
  /// What was found.
  public struct Result: Sendable, Encodable {
    /// Something that is not as the manifest says.
    public struct Problem: Sendable, Encodable {
      /// The file's path in `outputs/`.
      public let path: String
      /// `missing`, `damaged` or `unexpected`; of the statement `false-signature`, `unsigned` or `expired`.
      public let kind: String
      /// What was seen.
      public let detail: String
    }

    /// Whether the content of the files was read; else only their sizes and times were looked at.
    public let contentRead: Bool
    /// How many files the manifest has.
    public let files: Int
    /// The sum of their sizes, in bytes.
    public let bytes: Int64
    /// What is wrong: with the statement, then with the files in order of paths.
    public let problems: [Problem]
    /// The signatures that lie beside the manifest.
    public let signatures: [SignatureReport]
    /// The file of allowed signers that they were checked against; absent when they were not.
    public let allowedSigners: String?
  }

  /// Reads everything, or looks at sizes and times only.
  ///
  /// - Parameters:
  ///   - outputs: The folder of the bundle.
  ///   - allowedSigners: The file of those one of whom must have signed the bundle; `nil` for nobody.
  ///   - verified: What is remembered of the files; given, no content is read.
  ///   - list: Where the list of files that are missing or damaged goes, for a delta that heals them; also if there is none.
  ///   - emit: Hears how far the reading is.
  /// - Throws: ``UnfinishedBundle``, `ManifestError`, ``AllowedSignersUnusable``, `FileError`, or
  ///   `CancellationError`.
  public static func run(
    outputs: FilePath, allowedSigners: FilePath? = nil, quickly verified: VerifiedFiles? = nil,
    damageList list: FilePath? = nil, emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) async throws -> Result {
    let path = outputs.appending(Manifest.fileName)
    guard let bytes = try readBytes(ifPresent: path, limit: Manifest.largestFile) else {
      throw UnfinishedBundle(outputs: outputs)
    }
    let manifest = try Manifest(decoding: bytes, from: path)
    let allowed = try allowedSigners.map { try AllowedSigners(reading: $0) }
    let check = SignatureCheck(bytes, try Manifest.signatures(in: outputs), allowed: allowed)
    let found = try await read(manifest, in: outputs, quickly: verified, emit)
    if let list { try DamageList(found, of: manifest).write(to: list) }
    return Result(
      contentRead: verified == nil, files: manifest.files.count, bytes: manifest.totalSize,
      problems: statementProblems(manifest, check, isAsked: allowed != nil)
        + found.map { .init(path: $0.path, kind: $0.kind, detail: $0.detail) },
      signatures: check.reports, allowedSigners: allowedSigners?.string)
  }

  /// What is wrong with the statement, whatever the files are.
  private static func statementProblems(
    _ manifest: Manifest, _ check: SignatureCheck, isAsked: Bool
  ) -> [Result.Problem] {
    guard isAsked else {
      return check.reports.compactMap { report in
        report.problem.map { .init(path: report.file, kind: "false-signature", detail: $0) }
      }
    }
    var problems: [Result.Problem] = []
    if let refusal = check.refusal {
      problems.append(.init(path: Manifest.fileName, kind: "unsigned", detail: refusal))
    }
    if let expires = manifest.expires, manifest.hasExpired(at: Int64(Date.now.timeIntervalSince1970)) {
      problems.append(.init(path: Manifest.fileName, kind: "expired", detail: "it ended at \(expires)"))
    }
    return problems
  }

  private static func read(
    _ manifest: Manifest, in outputs: FilePath, quickly verified: VerifiedFiles?,
    _ emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) async throws -> [BundleVerifier.Problem] {
    let stage = "verify"
    emit(.stageStarted(stage))
    emit(.stageTotals(stage, items: manifest.files.count, bytes: manifest.totalSize))
    let verifier = BundleVerifier(
      outputs: outputs, manifest: manifest, depth: verified == nil ? .content : .sizes, verified: verified)
    let problems = try await verifier.verify {
      emit(.bytes(stage, $0))
    } onFile: { file, problem in
      let outcome =
        problem.map {
          ItemOutcome.failed(.init(kind: $0.kind, subject: $0.path, detail: "\($0.kind): \($0.detail)"))
        } ?? .done
      emit(.itemFinished(stage, item: file.path.description, outcome, bytes: file.size))
    }
    let done = verified == nil ? "read" : "looked at, not read"
    emit(
      .stageFinished(
        stage, problems.isEmpty ? .done : .failed, summary: "\(counted(manifest.files.count, "file")) \(done)"
      ))
    return problems
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
