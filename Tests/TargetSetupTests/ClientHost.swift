import Bundle
import Console
import Host
import Settings
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// A host with clients, whose dockerd is played by the test.
final class ClientHost: Sendable {
  let root: FilePath
  private let commands = Mutex<[String]>([])
  private let registries = Mutex<CommandResult?>(nil)

  init(_ folder: FilePath) throws {
    root = folder.appending("root")
    try put("", at: root.appending(FilePath("usr/bin/podman").components))
  }

  func file(_ path: String) -> FilePath { root.appending(FilePath(path).components) }

  /// Starts what looks like a dockerd with these arguments.
  func startDocker(_ arguments: [String] = []) throws {
    try put("", at: file("usr/bin/dockerd"))
    try put("4711", at: file("run/docker.pid"))
    try put("dockerd\n", at: file("proc/4711/comm"))
    try put((["dockerd"] + arguments).joined(separator: "\0"), at: file("proc/4711/cmdline"))
  }

  var ran: [String] { commands.withLock { $0 } }

  /// The registry named in the list of the daemon's file is known to it as soon as it has been told to look.
  func context(
    _ registry: String? = nil, ca: FilePath? = nil, isInsecure: Bool = false,
    onMessage: @escaping @Sendable (String) -> Void = { _ in }
  ) -> SetupContext {
    let runner: CommandRunner = { [self] command, _ in
      commands.withLock { $0.append(([command.executable] + command.arguments).joined(separator: " ")) }
      if command.executable == "podman" {
        return registries.withLock { $0 } ?? CommandResult(status: 0, standardOutput: Self.known)
      }
      return CommandResult(status: 0, standardOutput: text(file("etc/docker/daemon.json")) ?? "{}")
    }
    var context = TargetSetupTests.context(root: root, bundle: root, runner: runner) { event in
      if case .message(_, let text, _) = event { onMessage(text) }
    }
    context.configuration.registry.local = registry
    context.push = PushOptions(certificateAuthority: ca, isInsecure: isInsecure)
    return context
  }

  /// What podman says of the registry that is written.
  private static let known = """
    {"search":["docker.io"],"10.0.0.5:35000":{"Prefix":"10.0.0.5:35000","Location":"10.0.0.5:35000","Insecure":true,
    "Mirrors":null,"Blocked":false},"10.9.9.9:35000":{"Insecure":true,"Blocked":false}}
    """

  /// What podman says of the registries that it knows.
  func podman(_ result: CommandResult) { registries.withLock { $0 = result } }

  func run(_ context: SetupContext) async throws -> StepReport {
    try #require(try await SetupRun(context).execute([.registryClient]).first)
  }
}
