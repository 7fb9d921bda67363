import Bundle
import Console
import Files
import Glibc
import Host
import Settings
import SystemPackage

extension SetupContext {
  /// This machine, and the bundle that the program lies in or that was named.
  ///
  /// - Parameters:
  ///   - bundle: The bundle's folder; `nil` for the one that the program lies in.
  ///   - configFiles: Files of settings that were asked for.
  ///   - environment: The variables of the process.
  ///   - flags: The texts of flags, by key path of their settings.
  ///   - policy: Which bundles are taken.
  ///   - emit: Where every event of the steps goes.
  /// - Throws: `ConfigurationError`, `ManifestError`, `OSReleaseError`, ``StepError`` when the bundle is for another
  ///   architecture, or an error that says why the bundle is not taken.
  public static func current(
    bundle: FilePath?, configFiles: [FilePath], environment: [String: String], flags: [String: [String]],
    policy: TrustPolicy = TrustPolicy(), emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) throws -> SetupContext {
    completeSearchPath()
    let folder = try bundleFolder(bundle, environment)
    let variables = Configuration.settings.filter { $0.scope == .target }.flatMap(\.environment)
    var shell: ShellBundle?
    let (manifest, trust) = try policy.admit(folder) {
      shell = try ShellBundle(folder, environment: environment)
      return shell != nil
    }
    var arrived = ArrivedBundle(folder, manifest: manifest, shell: shell)
    var configuration = try Configuration.resolve(
      shell: shell?.settings, document: try settings(of: arrived),
      source: folder.appending("config.yml").string, files: hostSettings + configFiles,
      environment: environment.filter { variables.contains($0.key) }, flags: flags)
    AccessStore.decide(&configuration.access)
    if !trust.isSigned { try refuseForeignFolders(configuration, of: folder) }
    if shell != nil {
      shell?.adjust(&configuration, architecture: Architecture.current.rawValue)
      arrived = ArrivedBundle(folder, manifest: manifest, shell: shell)
    }
    if let manifest, !manifest.platforms.contains("linux/\(Architecture.current.rawValue)") {
      let own = Architecture.current.rawValue
      throw StepError(
        "the bundle in \(folder) is for \(manifest.platforms.joined(separator: " and ")), and this machine is \(own)",
        .architecture(own))
    }
    let host = TargetHost(
      stateFolder: configuration.target.directory, system: try OSRelease.current(),
      initSystem: fileExists("/run/systemd/system") ? .systemd : .none,
      interfaces: NetworkInterfaces.current(), environment: environment)
    var context = SetupContext(
      host: host, bundle: arrived, configuration: configuration, emit: emit)
    context.trust = trust
    context.isFromBundle = ownBundle(environment).flatMap { try? realPath($0) } == folder
    return context
  }

  /// The host's own settings, which win over those of every bundle.
  private static var hostSettings: [FilePath] {
    let file: FilePath = "/etc/kubespray-offline/config.yml"
    return fileExists(file) ? [file] : []
  }

  /// Refuses folders of the host that an unsigned bundle chooses where no bundle has business: they are written to,
  /// emptied by undo, and given to containers. The same for certificates.
  ///
  /// - Throws: ``TrustError``.
  static func refuseForeignFolders(
    _ configuration: Configuration, of bundle: FilePath
  ) throws(TrustError) {
    func isFromBundle(_ setting: String) -> Bool {
      guard case .file(let file, _) = configuration.origin(of: setting) else { return false }
      return FilePath(file).starts(with: bundle)
    }
    let usual: [FilePath] = ["/opt", "/srv", "/var/lib", "/var/opt", "/data"]
    for (setting, path) in [
      ("target.directory", configuration.target.directory),
      ("target.kubespray_directory", configuration.target.kubesprayDirectory),
      ("target.inventory_directory", configuration.target.inventoryDirectory),
      ("registry.directory", configuration.registry.directory),
    ] where isFromBundle(setting) {
      let place = path.lexicallyNormalized()
      guard usual.contains(where: { place.starts(with: $0) }) else {
        throw .foreignFolder(setting: setting, path)
      }
    }
    // All nodes would believe whom it names.
    let access = configuration.access
    for (setting, path) in [
      ("access.certificate", access.certificate), ("access.key", access.key),
      ("access.authority", access.authority),
    ] {
      if let path, isFromBundle(setting) { throw .foreignFolder(setting: setting, path) }
    }
  }

  /// The bundle's own config.yml. Of a folder without a finished bundle nothing is taken.
  ///
  /// - Throws: ``StepError`` when it is not as the manifest says.
  private static func settings(of bundle: ArrivedBundle) throws(StepError) -> [UInt8]? {
    guard bundle.manifest != nil else { return nil }
    if try bundle.has("config.yml") { return try bundle.bytes("config.yml") }
    try bundle.refuseUnexpected(below: ["config.yml"])
    return nil
  }

  /// The folder of the bundle that was named, or that the program lies in, as an absolute path.
  ///
  /// - Throws: ``StepError`` when there is no such folder.
  public static func bundleFolder(
    _ named: FilePath?, _ environment: [String: String]
  ) throws(StepError) -> FilePath { try absolute(named ?? ownBundle(environment) ?? ".") }

  /// The launcher says where it lies; a program that was started directly lies in `lib` below the bundle.
  private static func ownBundle(_ environment: [String: String]) -> FilePath? {
    if let folder = environment["KUBESPRAY_OFFLINE_BUNDLE"], !folder.isEmpty { return FilePath(folder) }
    let program = FilePath((try? linkTarget("/proc/self/exe")) ?? ".")
    let folder = program.removingLastComponent()
    return folder.lastComponent?.string == "lib" ? folder.removingLastComponent() : nil
  }

  private static func absolute(_ folder: FilePath) throws(StepError) -> FilePath {
    let place: FilePath
    do {
      place = try realPath(folder)
    } catch {
      throw StepError("\(folder): \(error.code)", .bundleFolder)
    }
    if let info = try? FileInfo(place), info.kind == .file {
      throw StepError("\(folder) is a file; a bundle that is packed must be unpacked first", .bundleFolder)
    }
    return place
  }

  /// `su` leaves root without the folders of administration, in which systemctl's helpers, ip and others lie.
  private static func completeSearchPath() {
    let present = getenv("PATH").map { String(cString: $0) } ?? ""
    let folders = present.split(separator: ":").map(String.init)
    let missing = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
      .filter { !folders.contains($0) }
    if !missing.isEmpty { setenv("PATH", (folders + missing).joined(separator: ":"), 1) }
  }
}
