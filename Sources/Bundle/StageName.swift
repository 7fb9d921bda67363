/// The stages of `download-all`, in the order in which they are told.
public enum StageName: String, Sendable, Codable, CaseIterable, Hashable {
  /// Is this machine fit for the job: tools, space, network.
  case precheck
  /// The Python environment and, with it, kubespray's catalog.
  case py
  /// Kubespray's source.
  case kubespray
  /// The binaries and manifests that kubespray downloads.
  case files
  /// The container images.
  case images

  /// One line for help and tables.
  public var summary: String {
    switch self {
    case .precheck: "check tools, disk space, clock and sources"
    case .py: "evaluate kubespray's catalog with its own Ansible"
    case .kubespray: "fetch the kubespray source, apply local patches"
    case .files: "fetch and verify all files, write offline.yml"
    case .images: "pull all images into archives, digests kept"
    }
  }
}
