import ArgumentParser
import Bundle
import CommandSupport
import Console
import Settings
import SystemPackage
import TargetSetup

/// Which bundle, and the settings that have a flag.
struct NodeOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: .init("The folder of the bundle, if it is not the one that this program lies in.", valueName: "dir")
  )
  var bundle: String?

  @Option(
    name: [.short, .customLong("config")],
    help: .init("Read settings from FILE, after the bundle's config.yml.", valueName: "file"))
  var configFiles: [String] = []

  @Option(
    help: .init(
      "How the other nodes reach this machine; auto: by its route. [TARGET_ADDRESS]", valueName: "host"))
  var address: String?

  @Option(help: .init("The port of the web server. [NGINX_PORT]", valueName: "port"))
  var nginxPort: String?

  @Option(help: .init("The port of the bundle's own registry. [REGISTRY_PORT]", valueName: "port"))
  var registryPort: String?

  @Option(
    help: .init(
      "The registry of load-push and registry-client: HOST[:PORT][/PATH]; by default the bundle's own. [LOCAL_REGISTRY, DESTINATION_REGISTRY]",
      valueName: "registry"))
  var registry: String?

  @Option(help: .init("A CA file (PEM) that the registry's certificate is checked with.", valueName: "file"))
  var caFile: String?

  @Flag(help: "Do not check the registry's certificate; speak plain HTTP if it has none.")
  var insecure = false

  @Option(
    help: .init(
      "Serve a copy of the bundle: auto (removable media), always, never. [TARGET_COPY]", valueName: "when"))
  var copy: String?

  @Flag(help: "Replace the containerd of a machine that is a cluster node. [EXISTING_NODE=take]")
  var takeNode = false

  /// The texts of the flags that were given, by key path of their settings.
  var flags: [String: String] {
    var flags: [String: String] = [:]
    flags["target.address"] = address
    flags["nginx.port"] = nginxPort
    flags["registry.port"] = registryPort
    flags["registry.local"] = registry
    flags["target.copy"] = copy
    flags["target.existing_node"] = takeNode ? "take" : nil
    return flags
  }

  /// The host and the bundle.
  ///
  /// - Throws: ``ConfigurationError``, ``StepError`` or ``ManifestError``.
  func node(_ console: Console) throws -> Node { try node(console, { console.emit($0) }) }

  /// The host and the bundle, with events that go elsewhere.
  ///
  /// - Throws: ``ConfigurationError``, ``StepError`` or ``ManifestError``.
  func node(_ console: Console, _ emit: @escaping @Sendable (ConsoleEvent) -> Void) throws -> Node {
    var node = try Node.current(
      bundle: bundle.map { FilePath($0) }, configFiles: configFiles.map { FilePath($0) },
      environment: processEnvironment(), flags: flags, emit: emit)
    node.push = PushOptions(certificateAuthority: caFile.map { FilePath($0) }, isInsecure: insecure)
    node.showTable = { console.table($0, $1) }
    return node
  }
}
