import Bundle
import Console
import FoundationEssentials
import Glibc
import Host
import Integrity
import SystemPackage

/// The end of a run in which every stage succeeded: removes what the new plan no longer has, writes the manifest.
struct BundleClosing {
  private static let partSuffixes = [".part", ".part.meta", ".tmp"]

  private let run: RunContext
  private let stages: [StageReport]
  private let kubespray: String

  /// - Parameter kubespray: The version that the bundle is for.
  init(_ run: RunContext, stages: [StageReport], kubespray: String) {
    self.run = run
    self.stages = stages
    self.kubespray = kubespray
  }

  /// - Returns: The files that were removed.
  /// - Throws: `Errno` or ``ManifestError``.
  func close() throws -> [String] {
    let ran = Set(stages.map(\.stage))
    let kept = (run.previous.manifest?.files ?? []).filter { !ran.contains($0.stage) }
    let files = kept + stages.flatMap(\.files)
    let wanted = Set(files.map(\.path.description))
    let removed = try removeUnwanted(wanted, ran: ran)
    let complete = ran.union(run.previous.manifest?.stages ?? [])
    var manifest = Manifest(
      tool: "kubespray-offline \(programVersion)", created: Date.now.formatted(.iso8601),
      kubespray: kubespray, architecture: run.architecture.rawValue,
      stages: StageName.allCases.filter(complete.contains), files: files)
    // A run that changed nothing leaves the manifest as it is, to the byte.
    if run.previous.holds, let previous = run.previous.manifest {
      manifest.created = previous.created
      guard manifest != previous else { return removed }
    }
    try manifest.save(to: run.configuration.outputs)
    run.previous.forget()
    run.verified.compact()
    return removed
  }

  /// Removes what this program brought in earlier runs of the same stages and no longer wants, and the remains of
  /// interrupted downloads. What it does not know it leaves, and says so.
  private func removeUnwanted(_ wanted: Set<String>, ran: Set<StageName>) throws -> [String] {
    let outputs = run.configuration.outputs
    let recorded = run.verified.recorded(below: outputs).filter { ran.contains($0.stage) }
    var ours = Set(recorded.map(\.path))
    ours.formUnion(
      (run.previous.manifest?.files ?? []).filter { ran.contains($0.stage) }.map(\.path.description))
    var removed: [String] = []
    for name in try BundleTree.files(below: outputs) where !wanted.contains(name) {
      if [Manifest.fileName, Manifest.unfinishedFileName].contains(name) { continue }
      let isRemains = Self.partSuffixes.contains { name.hasSuffix($0) }
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
