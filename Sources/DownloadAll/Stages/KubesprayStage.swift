import Bundle
import Integrity
import Kubespray

/// Gets the kubespray source, and wants its unpatched tarball in the bundle.
struct KubesprayStage: Stage {
  let name = StageName.kubespray
  let needs: [StageName] = [.pkgs]

  func artifacts(_ run: RunContext) async throws -> [Artifact] {
    let source = try await run.kubespray.source()
    let artifact = Artifact(
      path: try BundlePath("files/\(source.copy.version.tarballName)"),
      source: .local(source.copy.tarball, origin: source.origin), stage: name,
      verification: source.origin.map(run.remote.verification) ?? .local)
    return [artifact]
  }
}
