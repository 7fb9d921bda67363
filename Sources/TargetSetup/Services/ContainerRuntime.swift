import Archive
import Bundle
import Files
import Host
import Integrity
import SystemPackage

/// The containerd of this host, spoken to by its own command `ctr`.
struct ContainerRuntime: Sendable {
  /// The namespace in which `nerdctl ps` looks by default.
  private static let namespace = "default"

  /// The program, a path of the host.
  let program: FilePath
  private let host: TargetHost

  /// The `ctr` of this host; `nil` when there is none.
  init?(_ host: TargetHost) {
    let found = ["/usr/local/bin/ctr", "/usr/bin/ctr"].first { host.exists(FilePath($0)) }
    guard let found else { return nil }
    program = FilePath(found)
    self.host = host
  }

  /// The one of this host, running.
  ///
  /// - Throws: ``StepError``.
  static func running(_ host: TargetHost) async throws(StepError) -> ContainerRuntime {
    guard let runtime = ContainerRuntime(host), await runtime.versions != nil else {
      throw StepError("no containerd answers on this host", .first(.containerd))
    }
    return runtime
  }

  /// A command of `ctr`.
  func command(_ arguments: [String]) -> Command {
    Command(program.string, ["--namespace", Self.namespace] + arguments)
  }

  /// The versions of the client and of the daemon that runs; `nil` when none answers.
  var versions: (client: String, server: String)? {
    get async {
      guard
        let text = try? await host.output(Command(program.string, ["--connect-timeout", "3s", "version"]))
      else { return nil }
      let found = text.split(whereSeparator: \.isNewline).compactMap { line -> String? in
        let words = line.split(separator: " ")
        return words.first == "Version:" ? words.dropFirst().joined(separator: " ") : nil
      }
      return found.count == 2 ? (found[0], found[1]) : nil
    }
  }

  /// What `ctr run` says of its options, which are others in each release; empty when it says nothing.
  var runHelp: String {
    get async { (try? await host.output(Command(program.string, ["run", "--help"]))) ?? "" }
  }

  /// Waits until the daemon answers.
  func waitUntilReady(_ service: Service) async throws {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(60)
    while await versions == nil {
      guard clock.now < end, await !service.hasFailed else {
        throw StepError(
          "containerd was started and does not answer. \(await service.lastWords)",
          .log(command: service.logCommand))
      }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  /// The digest of an image that containerd has.
  func digest(of image: ImageReference) async -> Digest? {
    guard let text = try? await host.output(command(["images", "list", "name==\(image)"])) else { return nil }
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split(separator: " ")
      if words.count > 2, words[0] == "\(image)" { return try? Digest(String(words[2])) }
    }
    return nil
  }

  /// Brings an image from its archive in the bundle into containerd, unless it is there.
  ///
  /// - Returns: Whether it had to be brought.
  /// - Throws: ``StepError`` or ``Host/CommandError``.
  func bring(_ image: ImageReference, from bundle: ArrivedBundle, _ journal: Journal) async throws -> Bool {
    let path: String
    do {
      path = try image.archivePath().description
    } catch {
      throw StepError("\(error)", .remake)
    }
    let wanted = bundle.entry(path)?.image?.digest
    if let present = await digest(of: image), wanted == nil || wanted == present { return false }
    let staging = try StagingFolder(for: journal.step, on: host, .image)
    defer { staging.remove() }
    let plain = staging.path.appending("image.tar")
    // containerd before 1.7 takes no compressed archives.
    try await offloaded {
      let archive = try staging.stage(path, of: bundle)
      try ArchiveReader.decompress(archive, to: plain)
      try removeFile(archive)
    }
    try journal.note(.image, "\(image)")
    try await host.output(command(["images", "import", plain.string]))
    guard let present = await digest(of: image) else {
      throw StepError(
        "\(path) was imported and containerd has no \(image)", .verify)
    }
    if let wanted, wanted != present {
      throw StepError(
        "containerd has \(image) as \(present) instead of \(wanted)", .verify)
    }
    return true
  }

  /// Removes the images that a step has brought.
  func removeImages(of journal: Journal) async {
    for image in journal.notes(.image) {
      _ = await host.succeeds(command(["images", "remove", "--sync", image]))
    }
  }

  /// Removes a container that was left behind, whatever state it is in.
  ///
  /// One that was being started when its service was stopped comes up a moment later, so it is looked for again.
  func removeContainer(_ name: String) async throws {
    var absences = 0
    for _ in 0..<50 where absences < 2 {
      for arguments in [
        ["tasks", "delete", "--force", name], ["containers", "delete", name], ["snapshots", "delete", name],
      ] {
        _ = await host.succeeds(command(arguments))
      }
      let left = await names(["tasks", "list", "--quiet"]) + names(["containers", "list", "--quiet"])
      absences = left.contains(name) ? 0 : absences + 1
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  /// The containers that run, in all namespaces, as `NAMESPACE/NAME`.
  var runningContainers: [String] {
    get async {
      var found: [String] = []
      for namespace in await names(["namespaces", "list", "--quiet"]) {
        let list = Command(program.string, ["--namespace", namespace, "tasks", "list", "--quiet"])
        found += await names(list).map { "\(namespace)/\($0)" }
      }
      return found
    }
  }

  private func names(_ arguments: [String]) async -> [String] { await names(command(arguments)) }

  private func names(_ command: Command) async -> [String] {
    ((try? await host.output(command)) ?? "").split(whereSeparator: \.isNewline).map(String.init)
  }
}
