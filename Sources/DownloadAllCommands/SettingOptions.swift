import ArgumentParser
import CommandSupport
import Settings
import SystemPackage

/// The settings that have a flag, and where the others come from.
struct SettingOptions: ParsableArguments {
  /// All but those that only the target knows.
  enum Flagged: FlaggedSettings {
    static let settings = Configuration.settings.filter { $0.scope != .target }
  }

  @Option(
    name: [.short, .customLong("config")],
    help: .init("Read settings from FILE, after config/config.yml.", valueName: "file"),
    completion: .file(extensions: ["yml", "yaml"]))
  var configFiles: [String] = []

  @OptionGroup var flags: SettingFlags<Flagged>

  /// The settings as they hold for this call.
  ///
  /// - Throws: ``ConfigurationError``, or `ValidationError` for flags that do not go together.
  func resolve() throws -> Configuration {
    let configuration = try Configuration.resolve(
      defaultFile: Installation.settings, files: configFiles.map { FilePath($0) },
      environment: processEnvironment(), flags: flags.texts)
    if flags.texts["images.kubeconfig"] != nil, !configuration.images.fromCluster {
      throw ValidationError("--kubeconfig can only be used with --from-cluster: nothing else asks a cluster")
    }
    if configuration.transfer.offline { try checkOffline(configuration) }
    exportProxies(configuration)
    return configuration
  }

  /// What only the network can do cannot be asked for together with it.
  private func checkOffline(_ configuration: Configuration) throws {
    if configuration.images.fromCluster {
      throw ValidationError(
        "--offline cannot be used with --from-cluster: a cluster is asked over the network")
    }
    if flags.texts["refresh_after"] != nil {
      throw ValidationError("--offline cannot be used with --refresh, which asks the package repositories")
    }
  }

  /// Ansible, pip and git, which run below this program, read the proxies from the environment.
  private func exportProxies(_ configuration: Configuration) {
    for (name, value) in [
      ("http_proxy", configuration.proxy.http), ("https_proxy", configuration.proxy.https),
      ("no_proxy", configuration.proxy.no),
    ] {
      if let value { setProcessVariable(name, to: value) }
    }
  }
}
