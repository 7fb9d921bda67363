import Bundle
import Host
import Integrity
import Kubespray
import SystemPackage

/// What a manifest says of a bundle beside its files.
struct BundleStatement: Sendable {
  /// The version that the bundle is for.
  let kubespray: String
  /// What this run made kubespray of; `nil` when it did not.
  let source: KubesprayWorkshop.Source?
  /// The repositories whose index this run has signed, with the fingerprint of the key.
  let signedRepositories: [String: String]
  /// After how many days the statement ends; 0 means never.
  let expiresAfter: Int

  /// A manifest that follows another one.
  ///
  /// - Parameters:
  ///   - files: All files of the bundle.
  ///   - ran: The stages that ran.
  ///   - time: Now, in seconds since 1970.
  func manifest(
    of files: [ManifestFile], for job: Job, ran: Set<StageName>, after previous: Manifest?, at time: Int64
  ) -> Manifest {
    let complete = ran.union(previous?.stages ?? [])
    var manifest = Manifest(
      id: Manifest.newID(), sequence: Manifest.nextSequence(after: previous, at: time),
      tool: "kubespray-offline \(programVersion)", created: ManifestTime.text(time), kubespray: kubespray,
      architecture: job.architecture.rawValue, platforms: job.platforms,
      stages: StageName.allCases.filter(complete.contains), files: files)
    manifest.expires = end(of: time)
    manifest.source = source.map { source(of: $0, in: files) } ?? previous?.source
    manifest.signedRepositories = repositories(in: files, ran: ran, after: previous)
    return manifest
  }

  /// Whether a manifest says what an earlier one says, which has not ended, so that nothing new is to be said.
  func isSaid(_ manifest: Manifest, by previous: Manifest, at time: Int64) -> Bool {
    guard !previous.hasExpired(at: time) else { return false }
    var manifest = manifest
    manifest.id = previous.id
    manifest.sequence = previous.sequence
    manifest.created = previous.created
    manifest.expires = ManifestTime.seconds(previous.created).flatMap(end)
    manifest.toolDigest = previous.toolDigest
    return manifest == previous
  }

  /// When a statement that is made at a time ends.
  private func end(of time: Int64) -> String? {
    expiresAfter > 0 ? ManifestTime.text(time + Int64(expiresAfter) * 86_400) : nil
  }

  private func source(of source: KubesprayWorkshop.Source, in files: [ManifestFile]) -> ManifestSource? {
    let path = "files/\(source.copy.version.tarballName)"
    return files.first { $0.path.description == path }.map {
      ManifestSource(
        version: source.copy.version.name, origin: source.repository, sha256: $0.sha256,
        tree: source.copy.sourceTree)
    }
  }

  /// What was signed earlier must be so as long as its files are in the bundle.
  private func repositories(
    in files: [ManifestFile], ran: Set<StageName>, after previous: Manifest?
  ) -> [String: String] {
    let kept = (previous?.signedRepositories ?? [:]).filter { folder, _ in
      files.contains { !ran.contains($0.stage) && $0.path.description.hasPrefix(folder + "/") }
    }
    return kept.merging(signedRepositories) { _, new in new }
  }

  /// The digest of this program; `nil` where the system does not show it.
  static let toolDigest = try? Digest(ofFile: RunningProgram.file())
}
