import Bundle
import Concurrency
import Console
import Files
import FoundationEssentials
import Host
import Integrity
import Settings
import SystemPackage

/// The end of a run in which every stage succeeded: removes what the new plan no longer has, writes the manifest.
struct BundleClosing: Sendable {
  /// What was done.
  struct Outcome: Sendable {
    /// The files that were removed.
    var removed: [String]
    /// What the bundle is now.
    var bundle: BundleState
  }

  private let job: Job
  private let previous: PreviousBundle
  private let record: BundleRecord
  private let signer: BundleSigner?
  private let emit: @Sendable (ConsoleEvent) -> Void
  private let stages: [StageReport]
  private let statement: BundleStatement
  private let ran: Set<StageName>
  /// The files of the stages that did not run.
  private let kept: [ManifestFile]
  /// Files of these stages that go all the same.
  private let taken: Set<BundlePath>

  init(
    _ job: Job, _ tools: RunTools, stages: [StageReport], statement: BundleStatement,
    taking taken: Set<BundlePath> = []
  ) {
    self.taken = taken
    self.job = job
    previous = tools.previous
    record = tools.record
    signer = tools.signer
    emit = tools.emit
    self.stages = stages
    self.statement = statement
    let ran = Set(job.selection)
    self.ran = ran
    // A file may have changed its stage with a new version of the program.
    let brought = Set(stages.flatMap(\.files).map(\.path))
    kept = (tools.previous.manifest?.files ?? []).filter {
      !ran.contains($0.stage) && !brought.contains($0.path) && !taken.contains($0.path)
        && $0.path.description != BundleChecksums.fileName
    }
  }

  /// All files that stages brought, those of stages that did not run included.
  var files: [ManifestFile] { kept + stages.flatMap(\.files) }

  /// The stages that have to run before there is a bundle.
  var unfinished: [StageName] {
    OtherStages(
      job: job, previous: previous, record: record, kept: kept,
      known: taken.union(stages.flatMap(\.files).map(\.path))
    ).unfinished(for: statement.kubespray)
  }

  /// Closes the bundle, and signs it where it is complete and there is a key for it.
  ///
  /// - Parameters:
  ///   - report: What the run has done so far.
  ///   - proof: What was proved of the bundle.
  ///   - start: When the run began.
  /// - Returns: The report of the whole run.
  /// - Throws: `Errno` or ``ManifestError`` when the bundle cannot be closed; ``SigningFailed``, ``UnsignableBundle`` or
  ///   `CommandError` when it is complete and cannot be signed.
  func finish(
    _ report: RunReport, _ proof: ClosureProof?, since start: ContinuousClock.Instant
  ) async throws -> RunReport {
    var report = report
    let outcome = try await offload { () throws in try close(proof) }
    report.contents = RunReport.Contents(
      kubespray: statement.kubespray, files: files.count, bytes: files.byteSum(of: \.size),
      setsUpTarget: files.contains { $0.path.description == "target-setup" })
    report.removed = outcome.removed
    report.bundle = outcome.bundle
    if outcome.bundle == .complete { report.signers = try await sign() }
    report.duration = .now - start
    return report
  }

  /// - Returns: The fingerprints of the keys that have signed the bundle.
  private func sign() async throws -> [String] {
    let outputs = record.outputs
    if let signer {
      _ = try await BundleSigning.sign(outputs, with: signer) { [emit] in
        emit(.message(.info, $0, stage: nil))
      }
    }
    return try await offload { () throws in try SignatureCheck.signers(of: outputs) }
  }

  /// Closes the bundle, as far as the stages that did not run allow it.
  ///
  /// May read files: call it off the cooperative threads.
  private func close(_ proof: ClosureProof?) throws -> Outcome {
    let removed = try removeUnwanted(Set(files.map(\.path.description)))
    let unfinished = unfinished
    guard unfinished.isEmpty else {
      try previous.markUnfinished()
      return Outcome(removed: removed, bundle: .unfinished(unfinished))
    }
    guard !files.isEmpty || previous.manifest != nil else {
      return Outcome(removed: removed, bundle: .empty)
    }
    try writeManifest(of: files, proof)
    previous.forget()
    return Outcome(removed: removed, bundle: .complete)
  }

  /// A run that changed nothing leaves the manifest as it is, to the byte.
  private func writeManifest(of files: [ManifestFile], _ proof: ClosureProof?) throws {
    let now = Int64(Date.now.timeIntervalSince1970)
    var manifest = statement.manifest(
      of: files + [try writeChecksums(of: files)], for: job, ran: ran, after: previous.manifest, at: now)
    // What was proved earlier holds only as long as nothing has changed.
    let previousProof = previous.manifest.flatMap { $0.files == manifest.files ? $0.proof : nil }
    manifest.proof = proof ?? previousProof
    if previous.holds, let previous = previous.manifest, statement.isSaid(manifest, by: previous, at: now) {
      return
    }
    manifest.toolDigest = BundleStatement.toolDigest
    try manifest.save(to: record.outputs)
    record.verified.compact()
  }

  /// Writes `SHA256SUMS`, unless it lies there.
  ///
  /// - Returns: The manifest's line for it.
  private func writeChecksums(of files: [ManifestFile]) throws -> ManifestFile {
    let bytes = Array(BundleChecksums.text(of: files).utf8)
    let path = try BundlePath(BundleChecksums.fileName)
    let place = record.outputs.appending(path.description)
    if (try? readBytes(ifPresent: place, limit: bytes.count)) != bytes {
      try previous.markUnfinished()
      try writeAtomically(bytes, to: place)
    }
    return ManifestFile(
      path: path, size: Int64(bytes.count), sha256: Digest(of: bytes), url: nil, stage: .scripts,
      verification: .generated)
  }

  /// Removes what this program brought in earlier runs of the same stages and no longer wants, and the remains of
  /// interrupted downloads. What it does not know it leaves, and says so.
  private func removeUnwanted(_ wanted: Set<String>) throws -> [String] {
    let outputs = record.outputs
    let all = record.verified.recorded(below: outputs)
    let given = Set(taken.map(\.description))
    let recorded = all.filter { ran.contains($0.stage) || given.contains($0.path) }
    let ofOthers = Set(all.filter { !ran.contains($0.stage) }.map(\.path)).subtracting(given)
    var ours = Set(recorded.map(\.path)).union(given)
    ours.formUnion(
      (previous.manifest?.files ?? []).filter { ran.contains($0.stage) }.map(\.path.description))
    var removed: [String] = []
    let own = Manifest.ownNames
    for name in try BundleTree.files(below: outputs) where !wanted.contains(name) {
      if own.contains(name) || ofOthers.contains(name) { continue }
      let isIncomplete = IncompleteName.matches(name)
      // Blobs in archives on their way wait there for the next run of the stage.
      if isIncomplete, name.hasPrefix("images/"), !ran.contains(.images) { continue }
      guard ours.contains(name) || isIncomplete else {
        emit(
          .message(
            .warning, "\(name) is not part of this bundle; it is left alone, and verify will name it",
            stage: nil))
        continue
      }
      try previous.markUnfinished()
      try removeFile(outputs.appending(name))
      if !isIncomplete { removed.append(name) }
    }
    for entry in recorded where !wanted.contains(entry.path) {
      record.verified.forget(outputs.appending(entry.path))
    }
    if !removed.isEmpty { BundleTree.removeEmptyFolders(below: outputs) }
    return removed
  }
}
