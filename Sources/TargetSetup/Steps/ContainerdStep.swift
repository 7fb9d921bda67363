import Archive
import Bundle
import Console
import Files
import Host
import Integrity
import Settings
import SystemPackage

/// Installs the container runtime from the bundle and starts it.
struct ContainerdStep: Step {
  let name = StepName.containerd
  let usedFolders = ["files"]

  func check(_ context: SetupContext, _ journal: Journal) async throws -> StepState {
    if journal.isEmpty, let sign = ClusterNode.sign(on: context.host),
      context.configuration.target.existingNode == .refuse
    {
      return .refused(
        "this machine is a node of a cluster (\(sign)), so its containerd is left as it is. --take-node replaces it"
      )
    }
    let parts = try RuntimeParts(context)
    guard journal.lastNote(.runtime) == parts.fingerprint(context.host.initSystem) else {
      return .needed("containerd \(parts.version) is to be installed")
    }
    guard journal.isIntact else { return .needed("files of containerd were changed or removed") }
    guard let versions = await ContainerRuntime(context.host)?.versions else {
      return .needed("containerd does not answer")
    }
    guard versions.client == versions.server else {
      return .needed("containerd \(versions.server) runs, and \(versions.client) is installed")
    }
    return .done("containerd \(parts.version) answers")
  }

  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String {
    // All that is needed is found before anything is touched.
    let parts = try RuntimeParts(context)
    let service = Service("containerd", context.host)
    let wanted = parts.fingerprint(context.host.initSystem)
    var isChanged = journal.lastNote(.runtime) != wanted || !journal.isIntact
    let unit = try context.bundle.text("containerd.service")
    let settings = try context.bundle.text("config.toml")
    let staging = try StagingFolder(for: name, on: context.host)
    defer { staging.remove() }
    let staged = try await offloaded { try parts.stage(in: staging) }
    if journal.notes(.earlierRuntime).isEmpty {
      try journal.note(.earlierRuntime, await service.isRunning ? "running" : "not running")
    }
    // A container whose containerd goes away under it can be left half known to the next one.
    let stopped = isChanged ? try await ContainerService.stopAll(on: context.host) : []
    do {
      try await install(staged, parts, unit, settings, service, &isChanged, context, journal)
    } catch {
      for stopped in stopped { try? await stopped.start(isChanged: false) }
      throw error
    }
    for stopped in stopped { try await stopped.start(isChanged: false) }
    try journal.replaceNote(.runtime, wanted)
    if context.host.initSystem == .none {
      context.say(
        .warning,
        "there is no systemd here: services run until the next start of this machine; then run the command again",
        step: name)
    }
    return "containerd \(parts.version) answers"
  }

  /// Puts programs and files in their places, and starts the service.
  private func install(
    _ staged: StagedRuntime, _ parts: RuntimeParts, _ unit: String, _ settings: String, _ service: Service,
    _ isChanged: inout Bool, _ context: SetupContext, _ journal: Journal
  ) async throws {
    try await offloaded {
      // What the daemon makes for itself.
      for path: FilePath in [
        "/var/lib/containerd", "/opt/containerd", "/run/containerd", "/etc/cni", "/etc/cni/net.d",
      ] {
        try journal.own(path)
      }
      try staged.install(journal)
    }
    isChanged = try journal.write("/etc/containerd/config.toml", settings) || isChanged
    isChanged =
      try service.install(unit: unit, command: "/usr/local/bin/containerd", journal) || isChanged
    await SecurityLabels.restore(journal, context.host)
    guard let runtime = ContainerRuntime(context.host) else {
      throw StepError(
        "the archive of containerd \(parts.version) has no program ctr", .verify)
    }
    if let versions = await runtime.versions, versions.client != versions.server { isChanged = true }
    try await service.start(isChanged: isChanged)
    try await runtime.waitUntilReady(service)
  }

  func beforeUndo(_ context: SetupContext, _ journal: Journal) async throws {
    // Their files would be taken from under them.
    if let runtime = ContainerRuntime(context.host) {
      let running = await runtime.runningContainers
      guard running.isEmpty else {
        throw StepError(
          "containers of others run in this containerd: \(running.joined(separator: ", "))", .stopContainers)
      }
    }
    try? await Service("containerd", context.host).stop()
  }

  func afterUndo(_ context: SetupContext, _ journal: Journal) async throws {
    let service = Service("containerd", context.host)
    await service.forget()
    if journal.lastNote(.earlierRuntime) == "running" { try await service.start(isChanged: false) }
  }
}

/// Whether a machine is a node of a cluster, by what kubespray and kubeadm leave on one.
enum ClusterNode {
  private static let signs: [FilePath] = [
    "/etc/kubernetes/kubelet.conf", "/etc/kubernetes/kubelet.env", "/var/lib/kubelet/config.yaml",
    "/usr/local/bin/kubelet", "/usr/bin/kubelet",
  ]

  /// What shows it; `nil` when nothing does.
  static func sign(on host: TargetHost) -> String? {
    if let path = signs.first(where: host.exists) { return "it has \(path)" }
    let path: FilePath = "/etc/containerd/config.toml"
    guard let text = try? readText(host.path(path)) else { return nil }
    // Only a runtime for pods has an image for their sandboxes.
    return text.contains(/(?m)^\s*(sandbox_image|sandbox)\s*=/) ? "\(path) runs pods" : nil
  }
}

/// The archives of the container runtime in the bundle, and where their content goes.
struct RuntimeParts: Sendable {
  private let bundle: ArrivedBundle
  private let containerd: String
  private let runc: String
  private let nerdctl: String
  private let plugins: String
  /// The version of containerd.
  let version: String

  /// Finds all of them.
  ///
  /// - Throws: ``StepError`` that names everything that is missing.
  init(_ context: SetupContext) throws(StepError) {
    let bundle = context.bundle
    let versions = context.configuration.versions
    let architecture = context.host.architecture.rawValue
    let files = try bundle.files(below: "files")
    var problems: [String] = []
    func find(_ name: String, _ setting: String, _ version: String?, _ fits: (Substring, String) -> Bool)
      -> String
    {
      guard let version else {
        problems.append("config.yml does not say which \(name) (versions.\(setting))")
        return ""
      }
      let found = files.first { path in
        fits(path.split(separator: "/").last ?? "", version)
          && (setting != "runc" || path.contains("/v\(version)/"))
      }
      guard let found else {
        problems.append("there is no \(name) \(version) for \(architecture) below files/")
        return ""
      }
      do {
        try bundle.look(at: found)
      } catch {
        problems.append(error.description)
      }
      return found
    }
    containerd = find("containerd", "containerd", versions.containerd) {
      $0 == "containerd-\($1)-linux-\(architecture).tar.gz"
    }
    runc = find("runc", "runc", versions.runc) { name, _ in name == "runc.\(architecture)" }
    nerdctl = find("nerdctl", "nerdctl", versions.nerdctl) {
      $0 == "nerdctl-\($1)-linux-\(architecture).tar.gz"
    }
    plugins = find("cni-plugins", "cni", versions.cni) {
      $0 == "cni-plugins-linux-\(architecture)-v\($1).tgz"
    }
    for name in ["containerd.service", "config.toml"] {
      do {
        try bundle.look(at: name)
      } catch {
        problems.append(error.description)
      }
    }
    guard problems.isEmpty else {
      throw StepError(
        "the bundle in \(bundle.folder) lacks what this step installs, and nothing was changed:\n"
          + problems.map { "  \($0)" }.joined(separator: "\n"), .remake)
    }
    version = versions.containerd ?? ""
    self.bundle = bundle
  }

  /// By what another content is noticed without reading it.
  func fingerprint(_ initSystem: InitSystem) -> String {
    let files = [containerd, runc, nerdctl, plugins, "containerd.service", "config.toml"]
    let text = (files.map(bundle.fingerprint) + ["\(initSystem)"]).joined(separator: "\n")
    return Digest(of: Array(text.utf8)).hex
  }

  /// Copies all of them out of the bundle: they are proved before anything is put in its place, or written down.
  ///
  /// - Throws: ``StepError`` or `FileError`.
  func stage(in staging: StagingFolder) throws -> StagedRuntime {
    StagedRuntime(
      folder: staging.path, containerd: try staging.stage(containerd, of: bundle),
      nerdctl: try staging.stage(nerdctl, of: bundle), plugins: try staging.stage(plugins, of: bundle),
      runc: try staging.stage(runc, of: bundle))
  }
}

/// Copies of the archives of the container runtime, which are as the bundle says.
struct StagedRuntime: Sendable {
  /// Where there is room to unpack them.
  let folder: FilePath
  let containerd: FilePath
  let nerdctl: FilePath
  let plugins: FilePath
  let runc: FilePath

  /// Puts the programs in their places.
  ///
  /// - Throws: ``StepError``, `ArchiveError` or `CancellationError`.
  func install(_ journal: Journal) throws {
    for (number, (archive, place, below)) in [
      (containerd, "/usr/local/bin", "bin"), (nerdctl, "/usr/local/bin", ""), (plugins, "/opt/cni/bin", ""),
    ].enumerated() {
      let part = folder.appending("unpacked").appending("\(number)")
      try createDirectories(part)
      try ArchiveReader.extract(archive, into: part)
      let source = below.isEmpty ? part : part.appending(below)
      let programs = ((try? listFolder(source)) ?? []).filter { isProgram(source.appending($0)) }
      guard !programs.isEmpty else {
        throw StepError("\(archive.lastComponent?.string ?? "") has no programs in it", .verify)
      }
      for name in programs {
        try Task.checkCancellation()
        try journal.copy(source.appending(name), to: FilePath(place).appending(name), mode: 0o755)
      }
    }
    try journal.copy(runc, to: "/usr/local/bin/runc", mode: 0o755)
  }

  /// Licences and notes lie beside the programs.
  private func isProgram(_ path: FilePath) -> Bool {
    (try? FileInfo(path)).map { $0.kind == .file && $0.mode & 0o100 != 0 } ?? false
  }
}
