import ArgumentParser
import Bundle
import CommandSupport
import Console
import Settings
import SystemPackage
import TargetSetup

/// Which bundle, and the settings that have a flag.
struct HostOptions: ParsableArguments {
  /// Those that the target may be given.
  enum Flagged: FlaggedSettings {
    static let settings = Configuration.settings.filter { $0.scope == .target }
  }

  @Option(
    name: [.short, .long],
    help: .init(
      "The folder of the bundle, if it is not the one that this program lies in.", valueName: "dir"),
    completion: .directory)
  var bundle: String?

  @Option(
    name: [.short, .customLong("config")],
    help: .init("Read settings from FILE, after the bundle's config.yml.", valueName: "file"),
    completion: .file(extensions: ["yml", "yaml"]))
  var configFiles: [String] = []

  @OptionGroup var trust: TrustOptions

  @OptionGroup var flags: SettingFlags<Flagged>

  @Option(
    help: .init("The CA file (PEM) to check the registry's certificate with.", valueName: "file"),
    completion: .file())
  var caFile: String?

  @Flag(help: "Do not check the registry's certificate; speak plain HTTP if it has none.")
  var insecure = false

  /// The host and the bundle.
  ///
  /// - Throws: ``ConfigurationError``, ``StepError`` or ``ManifestError``.
  func context(_ console: Console) throws -> SetupContext { try context(console, { console.emit($0) }) }

  /// The host and the bundle, with events that go elsewhere.
  ///
  /// - Throws: ``ConfigurationError``, ``StepError`` or ``ManifestError``.
  func context(
    _ console: Console, _ emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) throws -> SetupContext {
    var context = try SetupContext.current(
      bundle: bundle.map { FilePath($0) }, configFiles: configFiles.map { FilePath($0) },
      environment: processEnvironment(), flags: flags.texts, policy: trust.policy, emit: emit)
    if let caFile { try SetupContext.checkAuthorityFile(FilePath(caFile)) }
    context.push = PushOptions(certificateAuthority: caFile.map { FilePath($0) }, isInsecure: insecure)
    context.showTable = { console.table($0, $1) }
    return context
  }
}
