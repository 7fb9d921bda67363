import Bundle
import Files
import Host
import Integrity
import SystemPackage
import Transfer

/// What lies in the bundle: its places, and the memory of what was verified there.
struct BundleRecord: Sendable {
  let outputs: FilePath
  let verified: VerifiedFiles

  /// Where an artifact lies, or will lie.
  func place(_ artifact: Artifact) -> FilePath { outputs.appending(artifact.path.description) }

  /// Bytes of an interrupted download that are on the disk already.
  func partSize(_ artifact: Artifact) -> Int64 {
    FileInfo(regularFile: Download.partFile(of: place(artifact)))?.size ?? 0
  }

  /// Notes an artifact that was brought from this machine.
  func note(_ artifact: Artifact, size: Int64, sha256: Digest) -> FetchedFile {
    let place = place(artifact)
    if artifact.isExecutable { try? setPermissions(.program, of: place) }
    verified.record(
      place, stage: artifact.stage, sha256: sha256, checked: artifact.digest, url: artifact.recordedOrigin)
    return FetchedFile(file: artifact.manifestFile(size: size, sha256: sha256), transferred: 0)
  }
}

extension FilePermissions {
  /// Everybody may start it.
  static let program: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]
}

extension Artifact {
  /// The origin as it may be written down: without credentials.
  var recordedOrigin: String? {
    switch source {
    case .url(let url): hidingCredentials(url)
    case .local(_, let origin): origin.map(hidingCredentials)
    case .generated, .assembledImage: nil
    case .image(let reference): "docker://\(reference)"
    }
  }

  /// The manifest's line for it.
  func manifestFile(size: Int64, sha256: Digest, image: ManifestImage? = nil) -> ManifestFile {
    var file = ManifestFile(
      path: path, size: size, sha256: sha256, url: recordedOrigin, stage: stage, verification: verification)
    file.image = image
    return file
  }
}
