import Files
import Host
import Settings
import SystemPackage

/// What a user types once this host is set up, in the order of doing it: a first deployment, or an upgrade of the cluster
/// whose inventory lies in the tree of another release.
public struct NextCommands: Sendable, Equatable {
  /// The lines.
  public let lines: [String]

  /// The commands for a host; `nil` before kubespray was extracted.
  public init?(_ context: SetupContext) {
    guard let source = try? TreeSource(context), TreeStamp.read(in: context.host.path(source.tree)) != nil
    else {
      return nil
    }
    self.init(
      tree: source.tree, environment: source.environment,
      isInContainer: context.configuration.python.ansibleInContainer,
      earlier: EarlierTree.find(besides: source.tree, on: context.host))
  }

  init(tree: FilePath, environment: FilePath, isInContainer: Bool, earlier: EarlierTree? = nil) {
    let inventory = "\(TreeSource.inventory)/inventory.ini"
    let play: String
    var lines: [String] = []
    if isInContainer {
      lines += [
        "./target-setup ansible                  # once, unless you did \"all\": Ansible in a container",
        "cd \(tree)",
      ]
      play = "./\(AnsibleContainerStep.scriptName) ansible-playbook -i \(inventory) --become"
    } else {
      lines += [
        "./target-setup ansible                  # once: Ansible in \(environment)",
        "cd \(tree) && . \(environment)/bin/activate",
      ]
      play = "ansible-playbook -i \(inventory) --become"
    }
    if let earlier {
      // Its offline.yml is that of its own release.
      lines += [
        "# Your cluster's inventory is in \(earlier.inventory). This takes all of it but offline.yml:",
        "tar -C \(earlier.inventory) --exclude ./group_vars/all/offline.yml -cf - . | tar -C \(TreeSource.inventory) -xf -",
        "\(play) offline-repo.yml", "\(play) upgrade-cluster.yml",
      ]
      if let remark = earlier.remark(before: tree) { lines.append("# \(remark)") }
    } else {
      lines += [
        "vi \(inventory)     # your nodes; or copy offline.yml into group_vars/all/ of your own inventory",
        "# This machine logs in to each node (an SSH key, ansible_user), and each node has python3.",
        "\(play) offline-repo.yml", "\(play) cluster.yml",
      ]
    }
    self.lines = lines
  }
}

/// A kubespray tree of another release, in which somebody has written an inventory.
struct EarlierTree: Sendable, Equatable {
  /// The release.
  let version: String
  /// The folder of the inventory, a path of the host.
  let inventory: FilePath

  /// The newest one beside a tree.
  static func find(besides tree: FilePath, on host: TargetHost) -> EarlierTree? {
    let parent = tree.removingLastComponent()
    let names = (try? listFolder(host.path(parent))) ?? []
    let found = names.compactMap { name -> EarlierTree? in
      let other = parent.appending(name)
      guard name.hasPrefix("kubespray-"), other != tree, let stamp = TreeStamp.read(in: host.path(other))
      else {
        return nil
      }
      let file = "\(TreeSource.inventory)/inventory.ini"
      guard let digest = TreeStamp.digest(of: host.path(other).pushing(FilePath(file))),
        digest != stamp.files[file]
      else { return nil }
      return EarlierTree(version: stamp.version, inventory: other.pushing(FilePath(TreeSource.inventory)))
    }
    return found.max { numbers($0.version).lexicographicallyPrecedes(numbers($1.version)) }
  }

  /// What stands against an upgrade to a tree, if anything does: kubespray goes from one minor release to the next.
  func remark(before tree: FilePath) -> String? {
    let name = tree.lastComponent?.string.dropFirst("kubespray-".count) ?? ""
    let (old, new) = (Self.numbers(version), Self.numbers(String(name)))
    guard old.count > 1, new.count > 1 else { return nil }
    if new.lexicographicallyPrecedes(old) {
      return "\(name) is older than \(version): kubespray cannot take a cluster back to an earlier release."
    }
    guard new[0] == old[0], new[1] > old[1] + 1 else { return nil }
    return
      "From \(version), kubespray is upgraded one minor release at a time: set up and deploy \(old[0]).\(old[1] + 1) first."
  }

  private static func numbers(_ version: String) -> [Int] {
    version.split(separator: ".").compactMap { Int($0) }
  }
}
