import Bundle
import Console
import Kubespray
import Registry
import Settings
import SystemPackage

/// Wants an archive of every image: those of kubespray's catalog, those that the admin host runs, and those of the
/// user's own lists; or those of one list alone. If asked for, those of a running cluster too.
struct ImagesStage: Stage {
  let job: Job
  let kubespray: KubesprayWorkshop
  let charts: ChartSource
  let client: RegistryClient
  let events: StageEvents

  private var configuration: Configuration { job.configuration }

  func artifacts() async throws -> [Artifact] {
    guard !configuration.images.skip else {
      events.say(.info, "images are left out, as images.skip says")
      if configuration.python.ansibleInContainer {
        events.say(.warning, "the image with Ansible is left out too; the target must get it from elsewhere")
      }
      return []
    }
    let (own, listed) = try await lists()
    let added = try Additions(in: configuration.outputs).entries(of: .image).map {
      ListedImage(reference: try ImageReference($0.name), origin: "download-all add")
    }
    let additional = listed + (try await clusterImages()) + added
    var plan = ImagePlan(strippedRegistries: configuration.registry.stripped)
    var artifacts: [Artifact] = []
    let needed = Set((own + additional).filter { $0.choice == nil }.map(\.reference))
    let wanted = (own + additional).filter { plan.add($0.reference) }
    for image in wanted {
      artifacts.append(
        Artifact(
          path: try plan.archivePath(of: image.reference), source: .image(image.reference), stage: .images,
          verification: verification(of: image.reference), listing: image.origin,
          purpose: configuration.kubespray.strict || needed.contains(image.reference) ? nil : image.choice))
    }
    artifacts.append(try list("images/images.list", own))
    artifacts.append(try list("images/additional-images.list", additional))
    return artifacts
  }

  /// A digest in the reference proves what comes, whoever sends it.
  private func verification(of image: ImageReference) -> Verification {
    let isOpen = image.digest == nil && client.isPlain(image)
    return Verification(.registry, over: isOpen ? .open : .proved)
  }

  private func ansible() async throws -> AnsibleImage? {
    guard configuration.python.ansibleInContainer else { return nil }
    return try AnsibleImage(configuration, try await kubespray.source().copy.version)
  }

  private func lists() async throws -> (own: [ListedImage], additional: [ListedImage]) {
    var ansible: [ListedImage] = []
    switch try await self.ansible() {
    case .fetched(let image):
      ansible = [ListedImage(reference: image, origin: "setting python.ansible_image")]
    case .assembled(let image):
      let tree = try await kubespray.source().copy.tree
      let base = try AnsibleAssembly.base(configuration, tree)
      events.say(.info, "\(image) is assembled on \(base) when the wheels are in the bundle")
    case nil: break
    }
    if let file = configuration.images.from { return (try ImageList.read(file), ansible) }
    let catalog = try await kubespray.catalog().selecting(configuration.kubespray.selection)
    var own = try catalog.images.map {
      ListedImage(
        reference: try ImageReference($0.reference), origin: "kubespray's catalog, \($0.origin)",
        choice: $0.choice)
    }
    for chart in catalog.charts where !chart.hasOwnImages {
      // A chart that cannot be had is reported by the stage that carries it.
      guard let fetched = try? await charts.chart(chart) else { continue }
      own += fetched.images.map {
        ListedImage(reference: $0, origin: "the Helm chart \(chart.name)", choice: chart.choice)
      }
    }
    let versions = configuration.versions
    let admin = [
      ListedImage(reference: try ImageReference("nginx:\(versions.nginx)"), origin: "setting versions.nginx"),
      ListedImage(
        reference: try ImageReference("registry:\(versions.registry)"), origin: "setting versions.registry"),
    ]
    return (own, admin + ansible + (try ImageList.readAll(in: job.folder("imagelists"))))
  }

  private func clusterImages() async throws -> [ListedImage] {
    let settings = configuration.images
    guard settings.fromCluster else { return [] }
    let found = try await ClusterImages(kubeconfig: settings.kubeconfig, hasCatalog: settings.from == nil)
      .read()
    events.say(.info, found.summary)
    for warning in found.warnings { events.say(.warning, warning) }
    return found.images
  }

  private func list(_ path: String, _ images: [ListedImage]) throws -> Artifact {
    let lines = Set(images.map(\.reference)).sorted().map { "\($0)\n" }
    return Artifact(
      path: try BundlePath(path), source: .generated(Array(lines.joined().utf8)), stage: .images,
      verification: .generated)
  }
}
