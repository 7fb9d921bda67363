import Files
import Host
import Settings
import SystemPackage

/// What a user types once this host is set up, in the order of doing it: a first deployment, or an upgrade of the cluster
/// that was deployed from an earlier release.
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
      tree: source.tree, environment: source.environment, home: source.home,
      isInContainer: context.configuration.python.ansibleInContainer, on: context.host)
  }

  init(
    tree: FilePath, environment: FilePath, home: InventoryHome, isInContainer: Bool, on host: TargetHost
  ) {
    let inventories = "-i \(home.inventory) -i \(TreeSource.inventory)/\(InventoryHome.nodes)"
    let trees = EarlierTree.all(besides: tree, on: host)
    let isWritten = home.state(on: host) == .written
    let found = isWritten ? nil : trees.last { $0.inventory != nil }
    var lines: [String]
    let play: String
    if isInContainer {
      lines = [
        "./target-setup ansible                  # once, unless you did \"all\": Ansible in a container",
        "cd \(tree)",
      ]
      play =
        "./\(AnsibleContainerStep.scriptName) --mount \(home.folder) ansible-playbook \(inventories) --become"
    } else {
      lines = [
        "./target-setup ansible                  # once: Ansible in \(environment)",
        "cd \(tree) && . \(environment)/bin/activate",
      ]
      play = "ansible-playbook \(inventories) --become"
    }
    if let inventory = found?.inventory {
      lines += Self.taking(inventory, into: home)
    } else if !isWritten {
      lines += [
        "vi \(home.inventory)     # your nodes; settings are in group_vars beside it",
        "# This machine logs in to each node (an SSH key, ansible_user), and each node has python3.",
      ]
    }
    for file in home.strayFiles(on: host) {
      lines.append("# \(file) is not used: each release has its own in \(TreeSource.inventory).")
    }
    lines.append("\(play) offline-repo.yml")
    if let earlier = isWritten ? trees.last : found {
      lines.append("\(play) upgrade-cluster.yml")
      if let remark = earlier.remark(before: tree) { lines.append("# \(remark)") }
      if isWritten, !home.wasUsed(on: host) {
        lines.append("# A cluster that was never deployed: cluster.yml instead of upgrade-cluster.yml.")
      }
    } else {
      lines.append("\(play) cluster.yml")
    }
    self.lines = lines
  }

  /// How the inventory of an earlier tree comes to its home. It is copied when it is wanted, not before: until then the
  /// operator may still change it where it is.
  private static func taking(_ inventory: FilePath, into home: InventoryHome) -> [String] {
    let excluded = InventoryHome.ofReleases.map { "--exclude ./\($0)" }.joined(separator: " ")
    return [
      "# Your cluster's inventory is in \(inventory). This copies all of it but offline.yml, once:",
      "mkdir -p \(home.folder) && tar -C \(inventory) \(excluded) -cf - . | tar -C \(home.folder) -xf -",
    ]
  }
}

/// The kubespray tree of another release on this host.
struct EarlierTree: Sendable, Equatable {
  /// The release.
  let version: String
  /// The folder of an inventory that somebody has written in it, a path of the host.
  var inventory: FilePath?

  /// Those beside a tree, the newest last.
  static func all(besides tree: FilePath, on host: TargetHost) -> [EarlierTree] {
    all(besides: tree, in: tree.removingLastComponent(), on: host)
  }

  /// Those in a folder but for one tree, the newest last.
  static func all(besides tree: FilePath, in parent: FilePath, on host: TargetHost) -> [EarlierTree] {
    let names = (try? listFolder(host.path(parent))) ?? []
    let found = names.compactMap { name -> EarlierTree? in
      let other = parent.appending(name)
      let place = host.path(other)
      guard name.hasPrefix("kubespray-"), other != tree, fileExists(place.appending("requirements.txt")),
        let stamp = TreeStamp.read(in: place)
      else { return nil }
      let file = "\(TreeSource.inventory)/\(InventoryHome.nodes)"
      let digest = TreeStamp.digest(of: place.pushing(FilePath(file)))
      let isWritten = digest != nil && digest != stamp.files[file]
      return EarlierTree(
        version: stamp.version,
        inventory: isWritten ? other.pushing(FilePath(TreeSource.inventory)) : nil)
    }
    return found.sorted { numbers($0.version).lexicographicallyPrecedes(numbers($1.version)) }
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
