import Host

/// The playbooks and the lookup plugin of ours that run in front of kubespray's generate_list.yml, in the same Ansible
/// process.
///
/// They are files of their own (`Playbooks/`, `Python/`). What differs between runs reaches them as Ansible's extra
/// variables and as the request file; the messages are those of ``EvaluationRequest`` and ``HostEvaluation``. The plugin
/// is Python because Ansible's extension points are.
struct EvaluationScripts {
  /// The files by their path in the folder of a run. Ansible finds plugins in `lookup_plugins` beside a playbook.
  static let files: KeyValuePairs = [
    argumentsScript: PackageResources.pass_arguments_sh,
    "dynamic-groups.yml": PackageResources.dynamic_groups_yml,
    "evaluate-cluster.yml": PackageResources.evaluate_cluster_yml,
    "evaluate-defaults.yml": PackageResources.evaluate_defaults_yml,
    "architecture-facts.yml": PackageResources.architecture_facts_yml,
    "lookup_plugins/kubespray_catalog.py": PackageResources.kubespray_catalog_py,
    "lookup_plugins/catalog_answers.py": PackageResources.catalog_answers_py,
    "lookup_plugins/catalog_checks.py": PackageResources.catalog_checks_py,
    "lookup_plugins/catalog_rendering.py": PackageResources.catalog_rendering_py,
    "lookup_plugins/catalog_conditions.py": PackageResources.catalog_conditions_py,
    "lookup_plugins/catalog_values.py": PackageResources.catalog_values_py,
  ]

  /// The file that brings Ansible's arguments past generate_list.sh.
  static let argumentsScript = "pass-arguments.sh"

  /// The groups that kubespray's download role works on, as `evaluate-cluster.yml` names them.
  static let clusterGroups = ["k8s_cluster", "kube_control_plane", "kube_node", "calico_rr", "etcd"]

  /// The playbooks to run, in their order.
  let playbooks: [String]
  /// The extra variables that the playbooks expect beside `kubespray_offline_request`, the path of the request file.
  let variables: [String: String]

  /// - Parameters:
  ///   - evaluator: The tree, the inventory and the architecture.
  ///   - systemFamily: The operating system family in Ansible's words, `Debian` or `RedHat`.
  init(_ evaluator: CatalogEvaluator, systemFamily: String) {
    let tree = evaluator.workingCopy.tree
    if evaluator.inventory == nil {
      // Without hosts localhost alone is asked, with the role defaults only.
      playbooks = ["evaluate-defaults.yml"]
    } else {
      playbooks = (tree.hasRole("dynamic_groups") ? ["dynamic-groups.yml"] : []) + ["evaluate-cluster.yml"]
    }
    variables = [
      "kubespray_offline_machine": evaluator.architecture.machineName,
      "kubespray_offline_os_family": systemFamily,
      "kubespray_offline_defaults_role": tree.defaultsRole,
    ]
  }
}
