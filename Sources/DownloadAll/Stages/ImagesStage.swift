import Bundle
import Console
import Kubespray
import Settings
import SystemPackage

/// Wants an archive of every image: those of kubespray's catalog, those that the admin node runs, and those of the
/// user's own lists; or those of one list alone. If asked for, those of a running cluster too.
struct ImagesStage: Stage {
  let name = StageName.images
  let needs: [StageName]

  init(_ configuration: Configuration) {
    guard !configuration.images.skip else {
      needs = []
      return
    }
    needs =
      (configuration.images.from == nil ? [.py] : [])
      + (AnsibleImage.isAssembled(configuration) ? [.kubespray, .pypi] : [])
  }

  func artifacts(_ run: RunContext) async throws -> [Artifact] {
    guard !run.configuration.images.skip else {
      run.say(.info, "images are left out, as images.skip says", stage: name)
      if run.configuration.python.ansibleInContainer {
        run.say(
          .warning, "so is the one with Ansible, which the target must then have from elsewhere", stage: name)
      }
      return []
    }
    let (own, listed) = try await lists(run)
    let additional = listed + (try await clusterImages(run))
    var plan = ImagePlan(
      strippedRegistries: run.configuration.registry.stripped)
    var artifacts: [Artifact] = []
    for image in own + additional where try plan.add(image.reference) {
      var artifact = Artifact(
        path: try image.reference.archivePath(), source: .image(image.reference), stage: name,
        verification: .registryDigest)
      artifact.listing = image.origin
      artifacts.append(artifact)
    }
    artifacts.append(try list("images/images.list", own))
    artifacts.append(try list("images/additional-images.list", additional))
    return artifacts
  }

  func madeArtifacts(_ run: RunContext) async throws -> [Artifact] {
    guard !run.configuration.images.skip, case .assembled(let image)? = try await ansible(run) else {
      return []
    }
    return [try await AnsibleAssembly(run, image).artifact()]
  }

  private func ansible(_ run: RunContext) async throws -> AnsibleImage? {
    guard run.configuration.python.ansibleInContainer else { return nil }
    return try AnsibleImage(run.configuration, try await run.kubespray.source().copy.version)
  }

  private func lists(_ run: RunContext) async throws -> (own: [ListedImage], additional: [ListedImage]) {
    var ansible: [ListedImage] = []
    switch try await self.ansible(run) {
    case .fetched(let image):
      ansible = [ListedImage(reference: image, origin: "setting python.ansible_image")]
    case .assembled(let image):
      let tree = try await run.kubespray.source().copy.tree
      let base = try AnsibleAssembly.base(run.configuration, tree)
      run.say(.info, "\(image) is assembled on \(base) when the wheels are in the bundle", stage: name)
    case nil: break
    }
    if let file = run.configuration.images.from { return (try ImageList.read(file), ansible) }
    let catalog = try await run.kubespray.catalog().selecting(run.configuration.kubespray.selection)
    var own = try catalog.images.map {
      ListedImage(reference: try ImageReference($0.reference), origin: "kubespray's catalog, \($0.origin)")
    }
    for chart in catalog.charts where !chart.hasOwnImages {
      // A chart that cannot be had is told by the stage that carries it.
      guard let fetched = try? await run.charts.chart(chart) else { continue }
      own += fetched.images.map { ListedImage(reference: $0, origin: "the Helm chart \(chart.name)") }
    }
    let versions = run.configuration.versions
    let admin = [
      ListedImage(reference: try ImageReference("nginx:\(versions.nginx)"), origin: "setting versions.nginx"),
      ListedImage(
        reference: try ImageReference("registry:\(versions.registry)"), origin: "setting versions.registry"),
    ]
    return (own, admin + ansible + (try ImageList.readAll(in: run.projectRoot.appending("imagelists"))))
  }

  private func clusterImages(_ run: RunContext) async throws -> [ListedImage] {
    let settings = run.configuration.images
    guard settings.fromCluster else { return [] }
    let found = try await ClusterImages(kubeconfig: settings.kubeconfig, hasCatalog: settings.from == nil)
      .read()
    run.say(.info, found.summary, stage: name)
    for warning in found.warnings { run.say(.warning, warning, stage: name) }
    return found.images
  }

  private func list(_ path: String, _ images: [ListedImage]) throws -> Artifact {
    let lines = Set(images.map(\.reference)).sorted().map { "\($0)\n" }
    return Artifact(
      path: try BundlePath(path), source: .generated(Array(lines.joined().utf8)), stage: name,
      verification: .generated)
  }
}
