/// The stages of `download-all`, in the order in which they are reported.
public enum StageName: String, Sendable, Codable, CaseIterable, Hashable {
  /// Is this machine fit for the job: system, space, network.
  case precheck
  /// The programs that the other stages run and that this machine lacks.
  case pkgs
  /// The Python environment and, with it, kubespray's catalog.
  case py
  /// Kubespray's source.
  case kubespray
  /// The Python packages of Ansible.
  case pypi
  /// The binaries and manifests that kubespray downloads.
  case files
  /// The container images.
  case images
  /// The packages of the operating systems.
  case repo
  /// What the target runs, and the settings it needs.
  case scripts
  /// The proof that a deployment will ask for nothing else.
  case prove

  /// One line for help and tables.
  public var summary: String {
    switch self {
    case .precheck: "check system, disk space, clock and sources"
    case .pkgs: "install what this machine lacks for the other stages"
    case .py: "evaluate kubespray's catalog with its own Ansible"
    case .kubespray: "fetch the kubespray source, apply local patches"
    case .pypi: "mirror the Python packages of Ansible"
    case .files: "fetch and verify all files, write offline.yml"
    case .images: "pull all images into archives, digests kept"
    case .repo: "mirror the operating-system packages of every target"
    case .scripts: "copy target-scripts/, write config.yml"
    case .prove: "prove that a deployment needs nothing that is not in the bundle"
    }
  }
}
