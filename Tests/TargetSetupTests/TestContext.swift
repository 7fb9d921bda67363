import Bundle
import Console
import Host
import Settings
import SystemPackage

@testable import TargetSetup

/// A host in a temporary folder, whose commands are answered by the test, and a bundle whose manifest lists what is in its
/// folder now.
func context(
  root: FilePath, bundle: FilePath, system: String = "ID=debian\nVERSION_ID=12", server: String? = nil,
  address: String = "10.0.0.5", runner: @escaping CommandRunner = { command, _ in try await command.run() },
  emit: @escaping @Sendable (ConsoleEvent) -> Void = { _ in }
) -> SetupContext {
  var configuration = Configuration()
  configuration.target.address = address
  configuration.kubespray.version = "2.30.0"
  configuration.packages.host = "debian-12"
  if let port = server?.split(separator: ":").last.flatMap({ Int($0) }) {
    configuration.target.address = "127.0.0.1"
    configuration.nginx.port = port
  }
  let host = TargetHost(
    root: root, stateFolder: configuration.target.directory, system: OSRelease.parse(system),
    initSystem: .none,
    interfaces: NetworkInterfaces(routed: nil, addresses: []), runner: runner)
  return SetupContext(
    host: host, bundle: .intact(bundle), configuration: configuration, emit: emit)
}
