import Bundle
import Console
import Files
import Kubespray

/// Makes the Python environment and evaluates kubespray's catalog, which every later stage reads.
struct PyStage: Stage {
  let job: Job
  let kubespray: KubesprayWorkshop
  let events: StageEvents

  func artifacts() async throws -> [Artifact] {
    let catalog = try await kubespray.catalog()
    let checked = catalog.files.filter { $0.checksum != nil }.count
    events.say(
      .info,
      "the catalog has \(counted(catalog.files.count, "file")) (\(checked) with a checksum) and \(counted(catalog.images.count, "image"))"
        + (job.architectures.count > 1 ? " for \(job.architectureNames) together" : ""))
    for warning in catalog.warnings { events.say(.warning, warning) }
    return []
  }
}
