import Bundle
import Console
import Diagnosis
import Host
import Integrity
import SystemPackage

/// A container of the bundle that runs as a service of this host, on the host's network.
struct ContainerService: Sendable {
  /// A file or folder of the host that the container sees.
  struct Mount: Sendable {
    let source: FilePath
    let place: String
    var isWritable = false
    /// Whether the container starts without it when it is gone.
    var isOptional = false

    /// The value of the option of `ctr run`.
    fileprivate var option: String {
      "type=bind,src=\(source),dst=\(place),options=rbind:\(isWritable ? "rw" : "ro")"
    }
  }

  /// Its name: of the container, for `nerdctl ps`, and the end of its unit's.
  let name: String
  /// What it is, for people.
  let title: String
  let image: ImageReference
  let mounts: [Mount]
  var environment: [String: String] = [:]
  /// The program in the container with its arguments.
  let command: [String]
  /// The port it listens on.
  let port: Int
  /// The address it listens on; `nil` means all.
  let bind: String?
  /// What is asked to see whether it works.
  let probe: String
  /// How it is asked.
  var access = ServerAccess.plain
  /// The machine that it runs on.
  let host: TargetHost
  /// Where its image comes from.
  let bundle: ArrivedBundle
  /// What it may do and use.
  let limits: ContainerLimits

  private var service: Service { Service("kubespray-offline-\(name)", host) }

  private var scriptFile: FilePath { host.stateFolder.appending("services").appending("\(name).sh") }

  /// What decides whether the container must be started again: everything it is made of.
  private func fingerprint(_ script: String) throws(StepError) -> String {
    let contents = mounts.map { mount in
      let digest = (try? Digest(ofFile: host.path(mount.source)))?.hex ?? ""
      return "\(mount.source) \(mount.place) \(mount.isWritable) \(digest)"
    }
    let archive: String
    do {
      archive = bundle.fingerprint(try image.archivePath().description)
    } catch {
      throw StepError("\(error)", .remake)
    }
    let all = [script, archive] + contents
    return Digest(of: Array(all.joined(separator: "\n").utf8)).hex
  }

  /// Whether it runs as it would be made now.
  func state(_ journal: Journal) async throws -> StepState {
    guard let runtime = ContainerRuntime(host),
      journal.lastNote(.container) == (try fingerprint(await script(runtime)))
    else {
      return .needed(journal.isEmpty ? "\(title) is not set up" : "\(title) is to be set up again")
    }
    guard journal.isIntact else { return .needed("files of \(title) were changed or removed") }
    guard await service.isRunning, let status = try await Readiness(access).status(probe),
      (200..<400).contains(status)
    else { return .needed("\(title) does not answer at \(probe)") }
    return .done("\(title) answers at \(probe)")
  }

  /// Brings its image into containerd, before anything else is made: the archive is found right first.
  ///
  /// - Returns: Whether it had to be brought.
  /// - Throws: ``StepError`` or ``Host/CommandError``.
  func bringImage(_ journal: Journal) async throws -> Bool {
    let runtime = try await ContainerRuntime.running(host)
    try await refuseTakenPort()
    return try await runtime.bring(image, from: bundle, journal)
  }

  /// Sets it up, starts it, and waits until it answers.
  ///
  /// - Parameter isImageNew: Whether its image was just brought.
  /// - Throws: ``StepError`` or ``Host/CommandError``.
  func setUp(_ journal: Journal, isImageNew: Bool) async throws {
    let runtime = try await ContainerRuntime.running(host)
    var isChanged = isImageNew
    let script = await script(runtime)
    let wanted = try fingerprint(script)
    if journal.lastNote(.container) != wanted { isChanged = true }
    try journal.note(.service, name)
    if try journal.write(scriptFile, script, mode: 0o755) { isChanged = true }
    let start = "/bin/sh \(shellQuoted(scriptFile.string))"
    if try service.install(unit: unit, command: start, journal) { isChanged = true }
    await SecurityLabels.restore(journal, host)
    try await Firewall.open(port, host, journal)
    try await service.start(isChanged: isChanged)
    guard try await answers else {
      throw StepError(
        "\(title) was started and does not answer at \(probe). \(await service.lastWords)",
        .log(command: service.logCommand))
    }
    try await proveClosed()
    try journal.replaceNote(.container, wanted)
  }

  /// Whether it has come up. A containerd that keeps something of an earlier container, and therefore refuses the new one,
  /// is started again once: containers outlive that.
  private var answers: Bool {
    get async throws {
      let readiness = try Readiness(access)
      if try await readiness.wait(for: probe, unless: { await service.hasFailed }) { return true }
      try await Service("containerd", host).start(isChanged: true)
      try await service.start(isChanged: true)
      return try await readiness.wait(for: probe, unless: { await service.hasFailed })
    }
  }

  /// Makes sure that nobody gets in who should not, whatever release and settings the service has.
  private func proveClosed() async throws {
    guard access.isTLS else { return }
    let plain = "http://\(probe.dropFirst("https://".count))"
    // It answers that it wants TLS, or not at all.
    if let status = try await Readiness().status(plain), status < 400 {
      throw StepError("\(title) answers without TLS at \(plain)", .verify)
    }
    guard access.login != nil else { return }
    var stranger = access
    stranger.login = nil
    if let status = try await Readiness(stranger).status(probe), status != 401 {
      throw StepError("\(title) answers without a login at \(probe)", .verify)
    }
  }

  /// Ends those that run on a host.
  ///
  /// - Returns: Their services, for starting them again.
  /// - Throws: ``Host/CommandError``.
  static func stopAll(on host: TargetHost) async throws -> [Service] {
    var stopped: [Service] = []
    for name in ["nginx", "registry"] {
      let service = Service("kubespray-offline-\(name)", host)
      guard await service.isRunning else { continue }
      try await service.stop()
      stopped.append(service)
    }
    return stopped
  }

  /// Stops it and removes what containerd has of it.
  func remove(_ journal: Journal) async throws {
    guard !journal.notes(.service).isEmpty else { return }
    try? await service.stop()
    guard let runtime = ContainerRuntime(host), await runtime.versions != nil else { return }
    try await runtime.removeContainer(name)
    await runtime.removeImages(of: journal)
  }

  private func refuseTakenPort() async throws(StepError) {
    guard await !service.isRunning, let owner = PortOwner.find(port: port, bind: bind) else { return }
    throw StepError(
      "port \(port), which \(title) is to listen on, is taken by \(owner.description)",
      .port(service: "\(name)"))
  }

  private var unit: String {
    TextTemplate(PackageResources.container_service, quoting: Self.unitWord)
      .filled(["script": scriptFile.string], verbatim: ["name": name, "title": title])
  }

  /// What runs the container in the foreground, after removing what a crash or power cut left of it.
  private func script(_ runtime: ContainerRuntime) async -> String {
    var words = [
      "run", "--rm",
      // The host's network without its resolv.conf, which --net-host would want to be there.
      "--with-ns", "network:/proc/self/ns/net", "--label", "nerdctl/name=\(name)", "--label",
      "nerdctl/namespace=default",
    ]
    words += limits.options(host, help: await runtime.runHelp)
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
      words += ["--env", "\(name)=\(value)"]
    }
    for mount in mounts where !mount.isOptional { words += ["--mount", mount.option] }
    let others = mounts.filter(\.isOptional).map { mount in
      let option = shellQuoted(mount.option)
      return "[ ! -d \(shellQuoted(mount.source.string)) ] || set -- \"$@\" --mount \(option)"
    }
    func written(_ words: [String]) -> String { words.map(shellQuoted).joined(separator: " \\\n  ") }
    let needed = mounts.filter { !$0.isOptional }.map(\.source.string)
    return TextTemplate(PackageResources.run_container_sh, quoting: shellQuoted).filled(
      ["ctr": runtime.program.string, "name": name, "processes": "\(limits.processes)"],
      verbatim: [
        "title": title, "needed": written(needed), "options": written(words),
        "others": others.joined(separator: "\n"), "command": written(["\(image)", name] + command),
      ])
  }

  /// A word of a command line of a unit (systemd.service(5), "Command lines").
  static func unitWord(_ word: String) -> String {
    guard shellQuoted(word) != word || word.contains("%") else { return word }
    let marks: [Character: String] = ["\\": "\\\\", "\"": "\\\"", "%": "%%", "$": "$$"]
    return "\"\(word.map { marks[$0] ?? String($0) }.joined())\""
  }
}
