import Bundle
import Settings

/// The steps of `target-setup`, in the order in which `all` takes them.
public enum StepName: String, Sendable, Codable, CaseIterable, Hashable {
  /// Every file of the bundle against its manifest.
  case verify
  /// The container runtime.
  case containerd
  /// The web server that hands out files and packages.
  case nginx
  /// This host's package sources.
  case offlineRepo = "offline-repo"
  /// The Python that Ansible needs.
  case python
  /// The registry.
  case registry
  /// The images in the registry.
  case loadPush = "load-push"
  /// What this host's container clients know of the registry.
  case registryClient = "registry-client"
  /// The kubespray tree beside its offline.yml.
  case extract
  /// An environment with kubespray's Ansible in it.
  case ansible

  /// The steps that are done only when they are asked for by name.
  public static let named: [StepName] = [.registryClient, .ansible]

  /// The steps of `all`.
  public static let all: [StepName] = allCases.filter { !named.contains($0) }

  /// The steps of `all` with these settings: a bundle with Ansible in a container was made to be used with it.
  public static func all(_ configuration: Configuration) -> [StepName] {
    configuration.python.ansibleInContainer ? allCases : all
  }

  /// One line for help and tables.
  public var summary: String {
    switch self {
    case .verify: "read every file of the bundle and compare it with bundle.json"
    case .containerd: "install containerd, runc, nerdctl and the CNI plugins"
    case .nginx: "serve files and packages over HTTP"
    case .offlineRepo: "make this host take packages from the bundle alone"
    case .python: "install the Python that Ansible needs"
    case .registry: "serve container images"
    case .loadPush: "put all images into the registry"
    case .registryClient: "make Docker, podman, containerd ... of this host know the registry"
    case .extract: "extract and patch kubespray, with offline.yml beside it"
    case .ansible: "make kubespray's Ansible ready to run: a virtual environment, or a container"
    }
  }

  /// Whether it changes this host.
  public var needsRoot: Bool { self != .verify }
}
