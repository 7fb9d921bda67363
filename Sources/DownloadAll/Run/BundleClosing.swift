import Bundle
import Console
import FoundationEssentials
import Glibc
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

  private let run: RunContext
  private let stages: [StageReport]
  private let kubespray: String
  private let ran: Set<StageName>
  /// The files of the stages that did not run.
  private let kept: [ManifestFile]

  /// - Parameter kubespray: The version that the bundle is for.
  init(_ run: RunContext, stages: [StageReport], proves: Bool = false, kubespray: String) {
    self.run = run
    self.stages = stages
    self.kubespray = kubespray
    let ran = Set(stages.map(\.stage) + (proves ? [.prove] : []))
    self.ran = ran
    // A file may have changed its stage with a new version of the program.
    let brought = Set(stages.flatMap(\.files).map(\.path))
    kept = (run.previous.manifest?.files ?? []).filter {
      !ran.contains($0.stage) && !brought.contains($0.path)
    }
  }

  /// All files of the bundle, those of stages that did not run included.
  var files: [ManifestFile] { kept + stages.flatMap(\.files) }

  /// The stages that have to run before there is a bundle.
  var unfinished: [StageName] {
    OtherStages(run: run, ran: ran, kept: kept).unfinished(for: kubespray)
  }

  /// Closes the bundle, as far as the stages that did not run allow it.
  ///
  /// May read files: call it off the cooperative threads.
  /// - Throws: `Errno` or ``ManifestError``.
  func close(_ proof: ClosureProof? = nil) throws -> Outcome {
    let removed = try removeUnwanted(Set(files.map(\.path.description)))
    let unfinished = unfinished
    guard unfinished.isEmpty else {
      try run.previous.markUnfinished()
      return Outcome(removed: removed, bundle: .unfinished(unfinished))
    }
    guard !files.isEmpty || run.previous.manifest != nil else {
      return Outcome(removed: removed, bundle: .empty)
    }
    try writeManifest(of: files, proof)
    run.previous.forget()
    return Outcome(removed: removed, bundle: .complete)
  }

  /// A run that changed nothing leaves the manifest as it is, to the byte.
  private func writeManifest(of files: [ManifestFile], _ proof: ClosureProof?) throws {
    let complete = ran.union(run.previous.manifest?.stages ?? [])
    var manifest = Manifest(
      tool: "kubespray-offline \(programVersion)", created: Date.now.formatted(.iso8601),
      kubespray: kubespray, architecture: run.architecture.rawValue, platforms: run.platforms,
      stages: StageName.allCases.filter(complete.contains), files: files)
    // What was proved earlier holds only as long as nothing has changed.
    let previousProof = run.previous.manifest.flatMap { $0.files == manifest.files ? $0.proof : nil }
    manifest.proof = proof ?? previousProof
    if run.previous.holds, let previous = run.previous.manifest {
      manifest.created = previous.created
      guard manifest != previous else { return }
    }
    try manifest.save(to: run.configuration.outputs)
    run.verified.compact()
  }

  /// Removes what this program brought in earlier runs of the same stages and no longer wants, and the remains of
  /// interrupted downloads. What it does not know it leaves, and says so.
  private func removeUnwanted(_ wanted: Set<String>) throws -> [String] {
    let outputs = run.configuration.outputs
    let all = run.verified.recorded(below: outputs)
    let recorded = all.filter { ran.contains($0.stage) }
    let ofOthers = Set(all.filter { !ran.contains($0.stage) }.map(\.path))
    var ours = Set(recorded.map(\.path))
    ours.formUnion(
      (run.previous.manifest?.files ?? []).filter { ran.contains($0.stage) }.map(\.path.description))
    var removed: [String] = []
    let manifests: Set = [Manifest.fileName, Manifest.unfinishedFileName]
    let known = wanted.union(ours).union(manifests)
    for name in try BundleTree.files(below: outputs) where !wanted.contains(name) {
      if manifests.contains(name) || ofOthers.contains(name) { continue }
      let isRemains = Remains.contains(name, known: known)
      guard ours.contains(name) || isRemains else {
        run.say(.warning, "\(name) is not part of this bundle; it is left alone, and verify will name it")
        continue
      }
      try run.previous.markUnfinished()
      guard unlink(outputs.appending(name).string) == 0 else { throw Errno(rawValue: errno) }
      if !isRemains { removed.append(name) }
    }
    for entry in recorded where !wanted.contains(entry.path) {
      run.verified.forget(outputs.appending(entry.path))
    }
    if !removed.isEmpty { BundleTree.removeEmptyFolders(below: outputs) }
    return removed
  }
}
