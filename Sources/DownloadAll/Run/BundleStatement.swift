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
    manifest.source = source.map { source(of: $0, in: files) } ?? previous?.source
    manifest.signedRepositories = repositories(in: files, ran: ran, after: previous)
    return manifest
  }

  private func source(of source: KubesprayWorkshop.Source, in files: [ManifestFile]) -> ManifestSource? {
    let path = "files/\(source.copy.version.tarballName)"
    return files.first { $0.path.description == path }.map {
      ManifestSource(version: source.copy.version.name, origin: source.repository, sha256: $0.sha256)
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
  static let toolDigest = try? Digest(ofFile: "/proc/self/exe")
}

extension Manifest {
  /// This manifest with what tells one closing from another taken from an earlier one: equal to that one when it says
  /// the same of the bundle.
  func asClosed(in other: Manifest) -> Manifest {
    var manifest = self
    manifest.id = other.id
    manifest.sequence = other.sequence
    manifest.created = other.created
    manifest.toolDigest = other.toolDigest
    return manifest
  }
}
