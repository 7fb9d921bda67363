import Bundle
import Files
import Integrity
import Settings
import SystemPackage

/// What of a bundle an extracted kubespray tree is made of.
struct TreeSource: Sendable {
  /// The version, as the tarball is named.
  let version: String
  /// The folder of the tree, a path of the host.
  let tree: FilePath
  /// Where the operator's inventory lies.
  let home: InventoryHome
  /// The folder of the virtual environment with its Ansible, a path of the host.
  let environment: FilePath
  /// The bundle.
  let bundle: ArrivedBundle
  /// The tarball, by its path in the bundle.
  let tarball: String
  /// The local patches for that version, by their paths in the bundle, in order.
  let patches: [String]
  /// The files that come beside kubespray's own, by path in the tree.
  let extras: [String: [UInt8]]
  /// The offline.yml that had to be made here.
  let madeInventory: ShellInventory?

  /// The folder of the inventory that has this bundle's offline.yml, and no nodes.
  static let inventory = "inventory/offline"

  /// Looks into the bundle.
  ///
  /// - Throws: ``ExtractionError``, or `FileError` when a file cannot be read.
  init(_ context: SetupContext) throws {
    let bundle = context.bundle
    let settings = OfflineSettings(
      context.configuration, context.addresses, try context.access, images: bundle.images)
    let version = context.configuration.kubespray.version
    let names = try bundle.files(below: "files").map { String($0.dropFirst("files/".count)) }
      .filter { $0.hasPrefix("kubespray-") && $0.hasSuffix(".tar.gz") && !$0.contains("/") }
    let expected = "kubespray-\(version.replacing("/", with: "-")).tar.gz"
    guard let name = names.contains(expected) ? expected : names.count == 1 ? names.first : nil else {
      throw ExtractionError.noTarball(bundle.place("files/\(expected)"), found: names)
    }
    let chosen = String(name.dropFirst("kubespray-".count).dropLast(".tar.gz".count))
    self.version = chosen
    tree = context.configuration.target.kubesprayDirectory.appending("kubespray-\(chosen)")
    environment = context.configuration.target.kubesprayDirectory.appending("kubespray-\(chosen)-venv")
    home = InventoryHome(folder: context.configuration.target.inventoryDirectory)
    self.bundle = bundle
    tarball = "files/\(name)"
    let folder = "patches/\(chosen)"
    patches = try bundle.files(below: folder).filter {
      $0.hasSuffix(".patch") && !$0.dropFirst(folder.count + 1).contains("/")
    }
    var extras = try Self.extras(bundle, settings, try context.repositories)
    extras["\(Self.inventory)/\(InventoryHome.nodes)"] = Array(Self.noNodes(home).utf8)
    if let shell = context.bundle.shell, extras["offline.yml"] == nil {
      let made = ShellInventory(
        downloads: try KubesprayTarball(try bundle.unprovedFile(tarball)).downloads,
        files: shell.files(below: "files").map { String($0.dropFirst("files/".count)) }, version: chosen,
        stripped: context.configuration.registry.stripped)
      Self.add(made.text, settings, to: &extras)
      madeInventory = made
    } else {
      madeInventory = nil
    }
    self.extras = extras
  }

  private static func noNodes(_ home: InventoryHome) -> String {
    """
    # No nodes stand here: they are in \(home.inventory). This inventory brings group_vars/all/offline.yml, which
    # belongs to this release of kubespray and its bundle. Give both to ansible-playbook, this one last:
    #   -i \(home.inventory) -i \(inventory)/\(InventoryHome.nodes)

    """
  }

  /// The permission bits of a further file: only root reads the login.
  static func mode(_ path: String) -> UInt32 { path.hasSuffix(OfflineSettings.loginFile) ? 0o600 : 0o644 }

  /// Copies of the tarball and of the patches, which are as the bundle says.
  struct Staged: Sendable {
    let tarball: FilePath
    /// In order.
    let patches: [FilePath]
  }

  /// Copies tarball and patches; the further files were read when this was made.
  ///
  /// - Throws: ``StepError`` or `FileError`.
  func stage(in staging: StagingFolder) throws -> Staged {
    Staged(
      tarball: try staging.stage(tarball, of: bundle),
      patches: try patches.map { try staging.stage($0, of: bundle) })
  }

  /// The stamp of a tree that was made of this, as far as it can be told before.
  ///
  /// - Throws: `FileError` when a file cannot be read.
  func stamp() throws -> TreeStamp {
    TreeStamp(
      version: version, tarball: try bundle.digest(tarball).hex,
      patches: try patches.map {
        TreeStamp.Patch(name: FilePath($0).lastComponent?.string ?? "", sha256: try bundle.digest($0).hex)
      }, files: [:])
  }

  private static func extras(
    _ bundle: ArrivedBundle, _ settings: OfflineSettings, _ repositories: BundleRepositories
  ) throws -> [String: [UInt8]] {
    var extras: [String: [UInt8]] = [:]
    try addPlaybook(bundle, repositories, settings.release, to: &extras)
    if try bundle.has("offline.yml") { add(try bundle.text("offline.yml"), settings, to: &extras) }
    return extras
  }

  /// Whether a bundle has the shell project's playbook, whose role has a file where that of ours has a folder.
  ///
  /// - Throws: ``StepError`` when there is no finished bundle.
  static func hasShellPlaybook(_ bundle: ArrivedBundle) throws(StepError) -> Bool {
    try bundle.has("playbook/roles/offline-repo/defaults/main.yml")
  }

  /// At the top of the tree, where "ansible-playbook offline-repo.yml" looks for it and for its role.
  private static func addPlaybook(
    _ bundle: ArrivedBundle, _ repositories: BundleRepositories, _ release: String,
    to extras: inout [String: [UInt8]]
  ) throws {
    let playbook = try bundle.files(below: "playbook")
    guard !playbook.isEmpty else { return }
    for file in playbook { extras[String(file.dropFirst("playbook/".count))] = try bundle.bytes(file) }
    // Its role would lose its own settings to such a folder.
    guard try !hasShellPlaybook(bundle) else { return }
    let role = "roles/offline-repo"
    let text = PlaybookSettings.text(repositories, release: release)
    extras["\(role)/defaults/main/this-bundle.yml"] = Array(text.utf8)
    for repository in repositories.repositories {
      for key in repository.publicKeys {
        let name = FilePath(key).lastComponent?.string ?? key
        extras["\(role)/files/\(repository.path)/\(name)"] = try bundle.bytes(key)
      }
    }
  }

  private static func add(_ offline: String, _ settings: OfflineSettings, to extras: inout [String: [UInt8]])
  {
    let filled = Array(settings.fill(offline).utf8)
    extras["offline.yml"] = filled
    extras["\(inventory)/group_vars/all/offline.yml"] = filled
    guard let login = settings.loginText else { return }
    extras[OfflineSettings.loginFile] = Array(login.utf8)
    extras["\(inventory)/group_vars/all/\(OfflineSettings.loginFile)"] = Array(login.utf8)
  }

}

/// What the playbook offline-repo.yml has to know about a bundle.
enum PlaybookSettings {
  /// The text of `defaults/main/this-bundle.yml` of its role.
  ///
  /// - Parameter release: The path of the release on the web server; see ``ReleaseAddress``.
  static func text(_ repositories: BundleRepositories, release: String) -> String {
    let targets = repositories.targets.sorted { $0.key < $1.key }
    var lines = [
      "---", "# Written by target-setup: what is in this bundle, and where it is served.",
      "offline_repo_release_path: \"\(release)\"", "offline_repo_targets:" + (targets.isEmpty ? " {}" : ""),
    ]
    lines += targets.map { "  \($0.key): \($0.value.folder)" }
    let signed = repositories.repositories.filter { !$0.publicKeys.isEmpty }
    lines.append("offline_repo_signatures:" + (signed.isEmpty ? " {}" : ""))
    for repository in signed {
      let keys = repository.publicKeys.map { FilePath($0).lastComponent?.string ?? $0 }
      lines.append("  \(repository.path):")
      lines.append("    public_keys: [\(keys.map { "\"\($0)\"" }.joined(separator: ", "))]")
      lines.append("    packages: \(repository.packagesAreSigned)")
      lines.append("    metadata: \(repository.metadataIsSigned)")
    }
    let divided = repositories.repositories.filter(\.hasArchitectures).map(\.path)
    if !divided.isEmpty { lines.append("offline_repo_architectures: [\(divided.joined(separator: ", "))]") }
    return lines.joined(separator: "\n") + "\n"
  }
}
