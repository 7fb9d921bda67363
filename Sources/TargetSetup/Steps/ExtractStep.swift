import Bundle
import Concurrency
import Console
import Files
import Host
import Integrity
import Settings
import SystemPackage

/// Extracts and patches kubespray, with an inventory and the playbook for this bundle in it.
struct ExtractStep: Step {
  let name = StepName.extract
  let usedFolders = ["debs", "files", "patches", "playbook", "rpms"]

  func check(_ context: SetupContext, _ journal: Journal) async throws -> StepState {
    let source = try TreeSource(context)
    let tree = source.tree
    guard let stamp = TreeStamp.read(in: context.host.path(tree)) else {
      return .needed("kubespray \(source.version) is not extracted to \(tree)")
    }
    let wanted = try await offload { () throws in try source.stamp() }
    guard stamp.tarball == wanted.tarball, stamp.patches == wanted.patches else {
      return .needed("\(tree) is made of another tarball or other patches than the bundle has")
    }
    let outdated = TreeExtraction.outdated(source, stamp, in: context.host.path(tree))
    guard outdated.isEmpty else {
      return .needed("\(tree): \(outdated.joined(separator: ", ")) is not as in the bundle")
    }
    guard !lacksInventory(source, context.host) else {
      return .needed("there is no inventory in \(source.home.folder)")
    }
    return .done("kubespray \(source.version) is in \(tree)")
  }

  /// Whether an inventory to begin with is to be made. Where the tree of an earlier release has one, the operator brings that.
  private func lacksInventory(_ source: TreeSource, _ host: TargetHost) -> Bool {
    source.home.state(on: host) == .absent
      && EarlierTree.all(besides: source.tree, on: host).allSatisfy { $0.inventory == nil }
  }

  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String {
    let staging = try StagingFolder(for: name, on: context.host)
    defer { staging.remove() }
    // All of the bundle that is used is there, and found right, before anything is made.
    let staged = try await offload { () throws in try TreeSource(context).stage(in: staging) }
    // offline.yml brings the certificate of the authority to the nodes, whichever step comes first.
    try context.accessStore.prepare()
    let source = try TreeSource(context)
    let tree = source.tree
    let place = context.host.path(tree)
    if let stamp = TreeStamp.read(in: place) {
      let wanted = try await offload { () throws in try source.stamp() }
      guard stamp.tarball == wanted.tarball, stamp.patches == wanted.patches else {
        throw ExtractionError.inTheWay(
          tree, reason: "is made of another tarball or other patches than the bundle has")
      }
      try await offload { () throws in try update(stamp, source, context.host, journal) }
    } else {
      guard isAbsentOrEmpty(place) else {
        throw ExtractionError.inTheWay(tree, reason: "was not, or not completely, extracted by this program")
      }
      if !source.patches.isEmpty { try await providePatch(context.host, journal) }
      let part = tree.removingLastComponent().appending(".kubespray-\(source.version).part")
      try journal.makeFolder(tree.removingLastComponent())
      try journal.own(part)
      try await TreeExtraction(
        source: source, staged: staged, part: context.host.path(part), host: context.host
      ).make()
      // An empty folder of that name, as the shell project leaves behind.
      try journal.moveAside(tree)
      try await offload { () throws in try journal.placeTree(part, at: tree) }
    }
    if lacksInventory(source, context.host) {
      try await offload { () throws in
        try source.home.make(of: tree, version: source.version, on: context.host, journal)
      }
    }
    tell(source, context)
    return "kubespray \(source.version) is in \(tree)"
  }

  /// What the operator should know of a bundle of the shell project.
  private func tell(_ source: TreeSource, _ context: SetupContext) {
    guard context.bundle.shell != nil else { return }
    if let missing = source.madeInventory?.missing {
      context.say(
        .warning,
        "the bundle has no offline.yml, so one was made of kubespray's own list of URLs and of what is in files/"
          + (missing.isEmpty
            ? ""
            : ". Nothing there fits \(missing.joined(separator: ", ")): where they are used, kubespray asks the "
              + "internet for them"),
        step: name)
    }
    if (try? TreeSource.hasShellPlaybook(context.bundle)) == true {
      context.say(
        .warning,
        "offline-repo.yml is the shell project's: nodes with RHEL or Ubuntu 24.04 keep their own package sources beside "
          + "the bundle. With the folder playbook/ of one of our bundles in its place they do not",
        step: name)
      guard context.configuration.access.isTLS else { return }
      context.say(
        .warning,
        "the shell project's offline-repo.yml brings neither certificates nor logins to the nodes: put "
          + "\(AccessStore.folder)/ca.crt on them by hand",
        step: name)
    }
  }

  func beforeUndo(_ context: SetupContext, _ journal: Journal) async throws {
    if let left = try await HostPackages.takeBack(journal, on: context.host) {
      context.say(.warning, left, step: name)
    }
    if let left = try InventoryHome.takeBack(journal, on: context.host) {
      context.say(.info, left, step: name)
    }
  }

  /// Brings the files that stand beside kubespray's own up to date, but for those that somebody has changed.
  private func update(_ stamp: TreeStamp, _ source: TreeSource, _ host: TargetHost, _ journal: Journal) throws
  {
    let tree = source.tree
    var stamp = stamp
    for path in TreeExtraction.outdated(source, stamp, in: host.path(tree)) {
      guard let bytes = source.extras[path] else { continue }
      try journal.write(tree.pushing(FilePath(path)), bytes, mode: TreeSource.mode(path))
      stamp.files[path] = Digest(of: bytes).hex
    }
    try journal.write(tree.appending(TreeStamp.fileName), try stamp.bytes())
  }

  private func providePatch(_ host: TargetHost, _ journal: Journal) async throws {
    let isThere = await host.succeeds(Command("patch", ["--version"]))
    guard !isThere || HostPackages.wasInterrupted(journal) else { return }
    guard let packages = HostPackages(host, say: journal.say) else {
      throw StepError("patch is not installed, and the bundle has patches for kubespray", .install("patch"))
    }
    try await packages.install(["patch"], journal)
  }

  private func isAbsentOrEmpty(_ path: FilePath) -> Bool {
    (try? listFolder(ifPresent: path).isEmpty) ?? false
  }
}
