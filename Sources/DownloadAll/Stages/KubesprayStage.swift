import Bundle
import Kubespray

/// Gets the kubespray source, and wants its unpatched tarball in the bundle.
struct KubesprayStage: Stage {
  let kubespray: KubesprayWorkshop
  let remote: RemoteFiles

  func artifacts() async throws -> [Artifact] {
    let source = try await kubespray.source()
    return [
      Artifact(
        path: try BundlePath("files/\(source.copy.version.tarballName)"),
        source: .local(source.copy.tarball, origin: source.origin), stage: .kubespray,
        verification: source.copy.isKnownRelease
          ? .kubesprayRelease : source.origin.map(remote.verification) ?? .local)
    ]
  }
}
