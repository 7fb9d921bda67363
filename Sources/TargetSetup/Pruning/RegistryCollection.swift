import Bundle
import Files
import Host
import Settings
import SystemPackage

/// The garbage collection of the registry of this host: its own program does it, in a container of its own image.
struct RegistryCollection: Sendable {
  private static let container = "registry-garbage"

  let context: SetupContext

  /// Does something while the network cannot push, and opens the registry again if it was open. One that is killed leaves a
  /// registry that serves and takes no pushes.
  ///
  /// - Throws: ``StepError`` or ``Host/CommandError``, or what `work` throws.
  func whileClosed<T>(_ work: () async throws -> T) async throws -> T {
    guard context.configuration.registry.writable else { return try await work() }
    let step = RegistryStep()
    let journal = try context.journal(.registry)
    var closed = context
    closed.configuration.registry.writable = false
    _ = try await step.apply(closed, journal)
    let result = try await work()
    _ = try await step.apply(context, journal)
    return result
  }

  /// Opens a registry again that was closed by a run that was killed.
  ///
  /// - Throws: ``StepError`` or ``Host/CommandError``.
  func reopen() async throws {
    guard try await isClosed() else { return }
    _ = try await RegistryStep().apply(context, try context.journal(.registry))
  }

  /// Whether a run that was killed has left the registry closed.
  ///
  /// - Throws: ``StepError``.
  func isClosed() async throws -> Bool {
    let journal = try context.journal(.registry)
    guard context.configuration.registry.writable, !journal.isEmpty else { return false }
    if case .done = try await RegistryStep().check(context, journal) { return false }
    return true
  }

  /// Looks whether what ``run()`` needs is there. Changes nothing.
  ///
  /// - Throws: ``StepError``.
  @discardableResult
  func require() async throws -> (runtime: ContainerRuntime, image: ImageReference) {
    let runtime = try await ContainerRuntime.running(context.host)
    let image = try ImageReference("registry:\(context.configuration.versions.registry)")
    guard await runtime.digest(of: image) != nil else {
      throw StepError("containerd has no \(image), whose registry collects its garbage", .first(.registry))
    }
    return (runtime, image)
  }

  /// Removes all blobs that no manifest names.
  ///
  /// - Throws: ``StepError`` or ``Host/CommandError``.
  func run() async throws {
    let (runtime, image) = try await require()
    // What a run that was killed has left.
    try await runtime.removeContainer(Self.container)
    let storage = context.configuration.registry.directory
    let content = try FileInfo(context.host.path(storage.appending("docker/registry/v2")))
    let configuration = "/etc/kubespray-offline/registry.yml"
    let limits = ContainerLimits(
      user: .init(id: content.owner, group: content.group), capabilities: [], memory: 1 << 30)
    var words = ["run", "--rm"] + limits.options(context.host, help: await runtime.runHelp)
    words += ["--env", "OTEL_TRACES_EXPORTER=none"]
    for (source, place, mode) in [
      (RegistryStep().configurationFile(context.host), configuration, "ro"),
      (storage, "/var/lib/registry", "rw"),
    ] {
      words += ["--mount", "type=bind,src=\(source),dst=\(place),options=rbind:\(mode)"]
    }
    words += ["\(image)", Self.container, "registry", "garbage-collect", configuration]
    let result = try await context.host.run(runtime.command(words))
    guard result.status == 0 else {
      throw StepError(
        "the registry does not collect its garbage:\n\(HostPackages.lastLines(result))", .pruneAgain)
    }
  }
}
