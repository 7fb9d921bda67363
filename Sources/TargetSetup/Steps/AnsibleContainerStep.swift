import Bundle
import Files
import Host
import Integrity
import Settings
import SystemPackage

/// Brings the image with Ansible into containerd, and the script that runs commands in it into the kubespray tree.
struct AnsibleContainerStep: Step {
  let name = StepName.ansible
  let needs: [StepName] = [.containerd, .extract]
  let usedFolders = ["files", "images", "patches", "playbook"]

  /// The script's name in the bundle and in the tree.
  static let scriptName = "ansible-container.sh"

  func check(_ context: SetupContext, _ journal: Journal) async throws -> StepState {
    let image = try image(context.configuration)
    let source = try TreeSource(context)
    let script = source.tree.appending(Self.scriptName)
    guard let runtime = ContainerRuntime(context.host), let present = await runtime.digest(of: image) else {
      return .needed("containerd has no \(image)")
    }
    let wanted = context.bundle.entry(try path(image))?.image?.digest
    guard wanted == nil || wanted == present else {
      return .needed("containerd has another \(image) than the bundle")
    }
    guard let version = journal.lastNote(.ansibleVersion), journal.writtenPaths.contains(script),
      journal.isIntact
    else { return .needed("\(script) is not there, or was changed") }
    guard try text(context.bundle, image, source) == (try? readText(context.host.path(script))) else {
      return .needed("\(script) is to be brought up to date")
    }
    return .done(labelled(version, image, script))
  }

  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String {
    let image = try image(context.configuration)
    let source = try TreeSource(context)
    let tree = source.tree
    guard context.host.exists(tree.appending("requirements.txt")) else {
      throw StepError("\(tree) has no requirements.txt", .first(.extract))
    }
    let script = tree.appending(Self.scriptName)
    let content = try text(context.bundle, image, source)
    let runtime = try await ContainerRuntime.running(context.host)
    _ = try await runtime.bring(image, from: context.bundle, journal)
    try journal.write(script, content, mode: 0o755)
    let result = try await context.host.run(
      Command("sh", [context.host.path(script).string, "ansible", "--version"]))
    guard result.status == 0, let version = result.standardOutput.split(whereSeparator: \.isNewline).first
    else {
      throw StepError(
        "Ansible does not run in a container of \(image):\n\(HostPackages.lastLines(result))",
        .tryCommand("\(script) ansible --version"))
    }
    try journal.replaceNote(.ansibleVersion, String(version))
    return labelled(String(version), image, script)
  }

  func beforeUndo(_ context: SetupContext, _ journal: Journal) async throws {
    guard let runtime = ContainerRuntime(context.host), await runtime.versions != nil else { return }
    await runtime.removeImages(of: journal)
  }

  private func labelled(_ version: String, _ image: ImageReference, _ script: FilePath) -> String {
    "\(version) in containers of \(image), by \(script)"
  }

  /// What the bundle's settings name: download-all has decided every "auto".
  private func image(_ configuration: Configuration) throws -> ImageReference {
    guard let name = configuration.python.ansibleImage, name != Configuration.Python.assembled else {
      throw StepError(
        "config.yml does not say which image has Ansible (python.ansible_image)", .ansibleImage)
    }
    return try ImageReference(name)
  }

  private func path(_ image: ImageReference) throws -> String { try image.archivePath().description }

  /// The script with its settings.
  ///
  /// - Throws: ``StepError`` when the bundle's is not what it should be.
  private func text(_ bundle: ArrivedBundle, _ image: ImageReference, _ source: TreeSource) throws -> String {
    var text = try bundle.text(Self.scriptName)
    for (setting, value) in [("image", "\(image)"), ("tree", source.tree.string)] {
      guard text.contains("\n\(setting)=\n") else {
        throw StepError(
          "\(Self.scriptName) of the bundle has no line \"\(setting)=\"", .verify)
      }
      text = text.replacing("\n\(setting)=\n", with: "\n\(setting)=\(shellQuoted(value))\n")
    }
    return text
  }

}
