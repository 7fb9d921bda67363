/// The playbook of ours that runs in front of kubespray's generate_list.yml, in the same Ansible process.
///
/// Facts that it sets also hold for the official lists, which is how a foreign architecture reaches them
/// without any fact gathering on a machine of that architecture.
struct EvaluationPlaybook {
  /// The roles whose defaults are the catalog, as generate_list.yml loads them.
  let roles: [String]
  /// Whether the tree has the role that makes groups such as k8s_cluster out of those of the inventory.
  let hasDynamicGroups: Bool
  /// Whether hosts of an inventory are asked, or localhost with the role defaults only.
  let usesInventory: Bool
  /// What `uname -m` prints on the target architecture.
  let machineName: String
  /// The operating system family in Ansible's words, `Debian` or `RedHat`.
  let systemFamily: String
  /// The request file of the lookup plugin; its path has no spaces or quotes.
  let request: String

  /// The groups that kubespray's download role works on.
  static let clusterGroups = ["k8s_cluster", "kube_control_plane", "kube_node", "calico_rr", "etcd"]

  /// The text of the playbook.
  var text: String {
    usesInventory ? groupPlay + clusterPlay + standInPlay : localPlay
  }

  private var groupPlay: String {
    guard hasDynamicGroups else { return "" }
    return """
      - name: Complete the groups of the inventory
        hosts: all
        gather_facts: false
        become: false
        roles:
          - role: dynamic_groups


      """
  }

  private var clusterPlay: String {
    """
    - name: Evaluate the download variables as each cluster host sees them
      hosts: "\(Self.clusterGroups.joined(separator: ":"))"
      gather_facts: false
      become: false
      roles:
    \(roleLines)
      tasks:
    \(factTask)
    \(lookupTask)

    """
  }

  /// Lets the official lists, which are made on localhost, see the variables of the cluster's group.
  private var standInPlay: String {
    """
    - name: Let the official lists see the variables of the cluster
      hosts: localhost
      gather_facts: false
      become: false
      tasks:
        - name: Join the cluster's group
          ansible.builtin.add_host:
            name: localhost
            groups: [k8s_cluster]
            ansible_connection: local
          changed_when: false
    \(factTask)

    """
  }

  private var localPlay: String {
    """
    - name: Evaluate the download variables with kubespray's defaults
      hosts: localhost
      gather_facts: false
      become: false
      roles:
    \(roleLines)
      tasks:
    \(factTask)
    \(lookupTask)

    """
  }

  private var roleLines: String {
    roles.map { "    - role: \($0)\n      when: false" }.joined(separator: "\n")
  }

  private var factTask: String {
    """
        - name: Stand for a host of the bundle's architecture
          ansible.builtin.set_fact:
            cacheable: true
            ansible_architecture: "\(machineName)"
            ansible_system: Linux
            ansible_os_family: "\(systemFamily)"
            ansible_hostname: "{{ inventory_hostname }}"
    """
  }

  private var lookupTask: String {
    """
        - name: Evaluate
          ansible.builtin.set_fact:
            kubespray_offline_result: "{{ lookup('\(LookupPlugin.name)', '\(request)') }}"
    """
  }
}
