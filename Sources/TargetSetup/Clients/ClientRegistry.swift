import Bundle
import Registry
import Settings
import SystemPackage
import Transfer

/// The registry that the images went to, as container clients of this host are to know it.
struct ClientRegistry: Sendable {
  /// By what a client may believe the registry.
  enum Trust: Sendable, Equatable {
    /// It has no TLS.
    case plain
    /// Its certificate is not checked, and it need not have one.
    case unchecked
    /// Its certificate is signed by these authorities (PEM).
    case authority([UInt8])
    /// Its certificate is one that every client of this host believes anyway.
    case system
  }

  /// The names with port under which it is asked; the first is the one that other machines use.
  let names: [String]
  /// By what it is believed.
  let trust: Trust
  /// What it wants to be told before it answers, where that is known here.
  private(set) var login: ServerLogin?
  /// How it is asked whether it has TLS.
  private let transfer: TransferConfiguration

  /// The name that other machines use.
  var name: String { names[0] }

  /// Whether a name is of this machine itself: docker and containerd do without TLS there by themselves.
  static func isLoopback(_ name: String) -> Bool { (try? PushTarget(name))?.isLoopback ?? false }
}

extension ClientRegistry {
  /// The registry that `load-push` brings the images to.
  ///
  /// - Throws: ``StepError`` when its address or the CA file cannot be used.
  init(_ context: SetupContext) throws(StepError) {
    let (registry, addresses) = (context.configuration.registry, context.addresses)
    guard !context.pushesToOwnRegistry else {
      let local =
        registry.bind == nil
        ? ["localhost:\(registry.port)", "127.0.0.1:\(registry.port)"] : [addresses.localRegistryHost]
      self.init(
        context, [addresses.registryHost] + local.filter { $0 != addresses.registryHost },
        trust: try Self.ownTrust(context))
      login = try context.access.login
      return
    }
    let host: String
    do {
      host = try PushTarget(registry.address).host
    } catch {
      throw StepError(error.description, .registryAddress)
    }
    self.init(context, [host], trust: try Self.trust(host, context))
  }

  /// By what clients may believe the bundle's own registry.
  private static func ownTrust(_ context: SetupContext) throws(StepError) -> Trust {
    let access = try context.access
    guard access.isTLS else { return .plain }
    guard let authority = access.authority else {
      throw StepError("the certificate of the registry is not made yet", .first(.registry))
    }
    return .authority(authority)
  }

  private init(_ context: SetupContext, _ names: [String], trust: Trust) {
    self.names = names
    self.trust = trust
    var transfer = TransferConfiguration(
      environment: context.host.environment, options: context.push, exists: context.host.exists)
    if names.contains(where: context.isOwnMachine) { transfer.noProxy = "*" }
    self.transfer = transfer
  }

  /// By what clients may believe a registry that is not the bundle's own.
  private static func trust(_ host: String, _ context: SetupContext) throws(StepError) -> Trust {
    if context.configuration.images.plainHTTP.contains(host) { return .plain }
    if context.push.isInsecure { return .unchecked }
    guard let file = context.push.certificateAuthority else {
      return isLoopback(host) ? .unchecked : .system
    }
    return .authority(try AuthorityFile.certificates(file))
  }

  /// Whether it has TLS, where that is not known.
  ///
  /// - Throws: ``StepError`` when it does not answer; `TransferError` when libcurl cannot be started.
  func speaksTLS() async throws -> Bool {
    var transfer = transfer
    transfer.connectTimeout = .seconds(5)
    transfer.stallTimeout = .seconds(10)
    transfer.verifiesServers = false
    let engine = try TransferEngine(transfer)
    for scheme in ["https", "http"] {
      var request = HTTPRequest(url: "\(scheme)://\(name)/v2/")
      request.retries = 0
      request.finalStatuses = Set(400...599)
      if (try? await engine.response(to: request)) != nil { return scheme == "https" }
      try Task.checkCancellation()
    }
    throw StepError(
      "\(name) does not answer, so it is not known whether it has TLS", .registryAddress)
  }
}
