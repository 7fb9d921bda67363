import Bundle
import Certificates
import Files
import Settings
import SystemPackage

/// What there is to know of the certificates of a host, without anything secret.
public struct AccessReport: Sendable, Encodable, Equatable {
  /// A certificate for people.
  public struct Entry: Sendable, Encodable, Equatable {
    /// What it is: `servers` or `authority`.
    public let role: String
    /// The file.
    public let file: String
    /// Until when it holds (ISO 8601, UTC).
    public let expires: String
    /// Days until then, less than 0 afterwards.
    public let daysLeft: Int64
    /// The SHA-256 of it.
    public let fingerprint: String
    /// The addresses and names that it is for.
    public let names: [String]
  }

  /// The certificates; empty without TLS, and before they are made.
  public let certificates: [Entry]
  /// Whether a login is wanted.
  public let wantsLogin: Bool
  /// What will go wrong, or has.
  public let warning: String?

  /// A report of its parts.
  init(certificates: [Entry], wantsLogin: Bool, warning: String?) {
    self.certificates = certificates
    self.wantsLogin = wantsLogin
    self.warning = warning
  }

  /// Looks; changes nothing.
  ///
  /// - Throws: ``StepError``.
  public init(_ context: SetupContext) throws(StepError) {
    let store = context.accessStore
    let access = try context.access
    let settings = context.configuration.access
    wantsLogin = access.isTLS && settings.wantsLogin
    guard access.isTLS else {
      certificates = []
      warning = nil
      return
    }
    var found: [Entry] = []
    let places = [
      ("servers", settings.certificate ?? AccessStore.folder.appending("server.crt")),
      ("authority", store.isOwn ? settings.authority : AccessStore.folder.appending("ca.crt")),
    ]
    for (role, place) in places {
      guard let place, let bytes = try context.host.file(place),
        let certificate = try? Certificate(pem: bytes)
      else { continue }
      found.append(
        Entry(
          role: role, file: place.string, expires: ManifestTime.text(certificate.end),
          daysLeft: (certificate.end - secondsSince1970()) / 86_400, fingerprint: certificate.fingerprint,
          names: certificate.names))
    }
    certificates = found
    let problem = Result { () throws(StepError) in try store.identity() }
    warning =
      switch problem {
      case .failure(let error): error.description
      case .success(nil): "the certificate is to be made: target-setup certificate --renew"
      case .success:
        found.first { $0.daysLeft < 90 }.map { "the certificate of the \($0.role) expires \($0.expires)" }
      }
  }
}

/// What the operator may do with the certificates and the login, beside setting up.
public struct AccessChange: Sendable {
  private let context: SetupContext

  /// Changes on a host.
  public init(_ context: SetupContext) { self.context = context }

  /// Makes a new certificate, and on request a new authority.
  ///
  /// - Returns: The steps whose services have to take it on, in their order.
  /// - Throws: ``StepError``.
  public func renewCertificate(withAuthority: Bool) throws(StepError) -> [StepName] {
    try withLock { () throws(StepError) in
      try refuseWithoutTLS()
      try context.accessStore.renew(withAuthority: withAuthority)
    }
    return try appliedSteps(withAuthority ? Self.authorityUsers : [.nginx, .registry])
  }

  /// The login, made if it is not there, or made again.
  ///
  /// - Returns: Name and password, and the steps whose services have to take it on.
  /// - Throws: ``StepError``.
  public func login(isNew: Bool) throws(StepError) -> (user: String, password: String, steps: [StepName]) {
    try refuseWithoutTLS()
    guard context.configuration.access.wantsLogin else {
      throw StepError("the servers of this host want no login", .switchLoginOn)
    }
    var steps: [StepName] = []
    if isNew {
      try withLock { () throws(StepError) in try context.accessStore.renewLogin() }
      steps = try appliedSteps(Self.authorityUsers)
    }
    guard let login = try context.accessStore.login() else {
      throw StepError("no login is made yet", .first(.nginx))
    }
    return (login.user, login.password, steps)
  }

  private static let authorityUsers: [StepName] = [
    .nginx, .offlineRepo, .registry, .registryClient, .extract,
  ]

  private func refuseWithoutTLS() throws(StepError) {
    guard try context.access.isTLS else {
      throw StepError("the servers of this host speak plain HTTP", .switchTLSOn)
    }
  }

  private func appliedSteps(_ names: [StepName]) throws(StepError) -> [StepName] {
    var applied: [StepName] = []
    for name in names where try !context.journal(name).isEmpty { applied.append(name) }
    return applied
  }

  private func withLock(_ body: () throws(StepError) -> Void) throws(StepError) {
    let lock = try HostLock(context.host)
    defer { withExtendedLifetime(lock) {} }
    try body()
  }
}
