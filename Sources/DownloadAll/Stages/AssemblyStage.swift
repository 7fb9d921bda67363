import Bundle
import Cache
import Kubespray
import Registry
import Settings

/// Makes the image with Ansible of what other stages have brought, where the settings ask for one that is made here.
struct AssemblyStage: Stage {
  let job: Job
  let cache: Cache
  let kubespray: KubesprayWorkshop
  let wheels: StageMirrors
  let client: RegistryClient
  let progress: TransferProgress
  let events: StageEvents
  let keeper: LockKeeper

  func artifacts() async throws -> [Artifact] {
    let copy = try await kubespray.source().copy
    guard case .assembled(let name)? = try AnsibleImage(job.configuration, copy.version) else { return [] }
    return [
      try await AnsibleAssembly(name, job, cache, copy, wheels, client, progress, events, keeper)
        .artifact()
    ]
  }
}
