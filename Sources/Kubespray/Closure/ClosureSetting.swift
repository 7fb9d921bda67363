import FoundationEssentials
import SystemPackage

/// A variable that decides how nodes ask for what the bundle serves.
struct ClosureSetting: Encodable {
  /// The variable.
  var name: String
  /// The expression that gives its value.
  var template: String
  /// The defaults file of the role that declares it, absolute; it may not exist.
  var defaults: String

  private static let engines = "roles/container-engine"

  /// The settings of the container engines, of Cilium's program, and what kubeadm is told.
  static func all(in tree: KubesprayTree) -> [ClosureSetting] {
    let places = [
      ("container_manager", "kubespray_defaults"), ("kubeadm_image_repo", "kubespray_defaults"),
      ("kube_version", "kubespray_defaults"), ("docker_insecure_registries", "kubespray_defaults"),
      ("docker_registry_mirrors", "kubespray_defaults"), ("crio_insecure_registries", "kubespray_defaults"),
      ("containerd_registries_mirrors", "container-engine/containerd"),
      ("crio_registries", "container-engine/cri-o"),
      ("cilium_install_extra_flags", "network_plugin/cilium"),
      ("cilium_extra_values", "network_plugin/cilium"), ("kube_network_plugin", "kubespray_defaults"),
    ]
    return places.map { name, role in
      ClosureSetting(
        name: name, template: "{{ \(name) }}",
        defaults: tree.path.appending("roles/\(role)/defaults/main.yml").string)
    }
  }
}
