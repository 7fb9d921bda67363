import Bundle
import Console
import Host
import Registry
import Settings
import SystemPackage

/// How the registry that images are pushed to is spoken to.
public struct PushOptions: Sendable, Equatable {
  /// The CA certificates that its own is checked with; `nil` for those of the system.
  var certificateAuthority: FilePath?
  /// Whether its certificate is not checked, and plain HTTP is fine.
  var isInsecure: Bool
  /// Archives whose images are pushed instead of the bundle's.
  public var archives: [FilePath]
  /// What the image of the only archive is called, if that does not say it.
  public var imageName: String?

  /// Options.
  public init(certificateAuthority: FilePath? = nil, isInsecure: Bool = false, archives: [FilePath] = []) {
    self.certificateAuthority = certificateAuthority
    self.isInsecure = isInsecure
    self.archives = archives
  }
}

extension SetupContext {
  /// Whether a name, with a port or without, is of this machine: what is asked there goes through no proxy.
  func isOwnMachine(_ name: String) -> Bool {
    if (try? PushTarget(name))?.isLoopback ?? false { return true }
    let host =
      name.hasPrefix("[")
      ? name.dropFirst().prefix { $0 != "]" } : name.prefix { $0 != ":" }
    return self.host.interfaces.addresses.contains { $0.text == host }
  }

  /// Whether the system tells about its processes, this one among them.
  public static var hasProcessFiles: Bool { FileTree.exists("/proc/self/cmdline") }

  /// Sees that a file has certificates in it.
  ///
  /// - Throws: ``StepError`` that says what it is instead.
  public static func checkAuthorityFile(_ file: FilePath) throws(StepError) {
    _ = try AuthorityFile.certificates(file)
  }

  /// Sees that a text can be the name of an image.
  ///
  /// - Throws: `ImageReferenceError`.
  public static func checkImageName(_ text: String) throws { _ = try ImageReference(text) }
}

/// What a step works with: the host that is set up, the bundle that it is set up from, the settings, and where what
/// it says goes. What needs one of them takes that one.
public struct SetupContext: Sendable {
  /// The machine.
  let host: TargetHost
  /// The bundle.
  public let bundle: ArrivedBundle
  /// The settings: those of the bundle, changed by environment and flags.
  public var configuration: Configuration
  /// How far the bundle is trusted.
  public var trust = BundleTrust(standing: .notChecked(TrustPolicy.defaultSigners))
  /// Whether the program that runs lies in the bundle itself, so that nothing proves the program.
  public var isFromBundle = false
  /// Whether `verify` has read all of the bundle in this run, and found it right.
  var isVerified = false
  /// Where `verify` writes which files are missing or damaged, for a delta that heals them.
  public var damageList: FilePath?
  /// Whether the step verify looks at sizes only, and reads no content.
  public var isQuick = false
  /// How a registry is spoken to.
  public var push = PushOptions()
  /// Shows a table of results: names of columns, and rows.
  public var showTable: @Sendable ([String], [[String]]) -> Void = { _, _ in }
  /// Where every event goes.
  let emit: @Sendable (ConsoleEvent) -> Void

  /// A context.
  init(
    host: TargetHost, bundle: ArrivedBundle, configuration: Configuration,
    emit: @escaping @Sendable (ConsoleEvent) -> Void = { _ in }
  ) {
    self.host = host
    self.bundle = bundle
    self.configuration = configuration
    self.emit = emit
  }

  /// Says something about a step.
  func say(_ level: MessageLevel, _ text: String, step: StepName? = nil) {
    emit(.message(level, text, stage: step?.rawValue))
  }

  /// By which addresses the servers of the host are reached.
  public var addresses: HostAddresses { HostAddresses(host.interfaces, configuration) }

  /// The package repositories in the bundle.
  var repositories: BundleRepositories {
    get throws(StepError) { try BundleRepositories(bundle: bundle, host: configuration.packages.host) }
  }

  /// The journal of a step on this host. Before the first change of the host it is written down which bundle is taken: not
  /// earlier, so that a bundle that is refused leaves nothing behind.
  ///
  /// - Throws: ``StepError`` when it is there and cannot be read.
  func journal(_ step: StepName) throws(StepError) -> Journal {
    try Journal(
      step, on: host, say: { say(.warning, $0, step: step) },
      allowed: trust.neededOptions.map { "\($0) \(trust.bundle ?? "")" },
      willChange: { [trust] in try trust.record() })
  }
}
