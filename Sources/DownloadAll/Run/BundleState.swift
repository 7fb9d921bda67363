import Bundle
import Files
import Host
import Integrity
import Settings
import SystemPackage

/// What a run without failures made of the bundle.
public enum BundleState: Sendable, Equatable {
  /// The manifest describes all of it.
  case complete
  /// These stages did not run, and what they brought earlier is not intact or is for another kubespray or other platforms: there is no
  /// manifest.
  case unfinished([StageName])
  /// No stage has brought anything: there is no manifest.
  case empty
}

/// The stages that a run leaves out. It may finish the bundle only when what they brought earlier still holds.
struct OtherStages {
  let job: Job
  let previous: PreviousBundle
  let record: BundleRecord
  /// The files that the stages brought earlier.
  let kept: [ManifestFile]
  /// Further files of them that this run has brought, or takes away.
  var known: Set<BundlePath> = []

  /// The stages that have to run before the bundle is one for that kubespray version.
  func unfinished(for kubespray: String) -> [StageName] {
    let manifest = previous.manifest
    let isSameBundle =
      manifest?.kubespray == kubespray && manifest.map { Set($0.platforms) } == Set(job.platforms)
    return StageName.allCases.filter { stage in
      guard !job.includes(stage) else { return false }
      let files = kept.filter { $0.stage == stage }
      if !files.isEmpty, !isSameBundle { return true }
      // What a finished run left is only read again by verify.
      return !previous.wasFinished && (hasStrays(stage, beside: files) || !files.allSatisfy(isWhole))
    }
  }

  /// Whether an interrupted run of the stage has brought files of which the manifest does not know.
  private func hasStrays(_ stage: StageName, beside files: [ManifestFile]) -> Bool {
    let known = Set(files.map(\.path.description)).union(known.map(\.description))
    let outputs = record.outputs
    return record.verified.recorded(below: outputs).contains {
      $0.stage == stage && !known.contains($0.path)
        && FileInfo(regularFile: outputs.appending($0.path)) != nil
    }
  }

  private func isWhole(_ file: ManifestFile) -> Bool {
    let place = job.place(file.path)
    if let entry = record.verified.entry(for: place) { return entry.sha256 == file.sha256 }
    return (try? Digest(ofFile: place)) == file.sha256
  }
}
