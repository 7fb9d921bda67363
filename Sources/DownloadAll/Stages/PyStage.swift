import Bundle
import Console
import Kubespray

/// Makes the Python environment and evaluates kubespray's catalog, which every later stage reads.
struct PyStage: Stage {
  let name = StageName.py
  let needs: [StageName] = [.pkgs, .kubespray]

  func artifacts(_ run: RunContext) async throws -> [Artifact] {
    let catalog = try await run.kubespray.catalog()
    let checked = catalog.files.filter { $0.checksum != nil }.count
    run.say(
      .info,
      "the catalog has \(catalog.files.count) files (\(checked) with a checksum) and \(catalog.images.count) images"
        + (run.architectures.count > 1 ? " for \(run.architectureNames) together" : ""),
      stage: name)
    for warning in catalog.warnings { run.say(.warning, warning, stage: name) }
    return []
  }
}
