import Bundle
import Certificates
import Files
import Host
import Settings
import SystemPackage

/// Where this host keeps its authority, its certificate and its login. Neither undo nor a setting of a bundle reaches the
/// folder: nodes that trust the authority go on trusting what is set up again. The certificates in it are for everybody,
/// keys and login for root alone.
struct AccessStore: Sendable {
  /// The folder.
  static let folder: FilePath = "/etc/kubespray-offline/access"

  /// How long an authority holds, and a certificate: the admin host of a cluster is rarely visited.
  private static let authorityYears: Int64 = 30
  private static let certificateYears: Int64 = 10
  /// A certificate that ends sooner is made again by the next set-up.
  private static let renewedBefore: Int64 = 365 * day

  private static let day: Int64 = 86_400

  private let context: SetupContext
  private let time: Int64

  /// The store of a host, at a time in seconds since 1970.
  ///
  /// A clock that has lost the date must not make what has ended when it is set: the bundle's own date counts then.
  init(_ context: SetupContext, time: Int64 = secondsSince1970()) {
    self.context = context
    let created = context.bundle.manifest.flatMap { ManifestTime.seconds($0.created) } ?? 0
    self.time = max(time, created)
  }

  private var host: TargetHost { context.host }
  private var settings: Configuration.Access { context.configuration.access }

  /// Whether the certificate is one that somebody has brought.
  var isOwn: Bool { settings.certificate != nil }

  /// Decides what the settings leave to the host: what it was set up with stays on.
  static func decide(_ access: inout Configuration.Access) {
    access.tls = access.tls ?? fileExists(folder.appending("ca.crt"))
    access.login = access.login ?? (access.isTLS && fileExists(folder.appending("login")))
  }

  // MARK: What there is

  /// How the servers are spoken to, as far as it is decided. Changes nothing.
  ///
  /// - Throws: ``StepError`` when the settings do not fit together, or a file cannot be read.
  func access() throws(StepError) -> ServerAccess {
    guard settings.isTLS else {
      guard !settings.wantsLogin else {
        throw StepError(
          "access.login is set without access.tls: passwords would be readable on the way", .loginWantsTLS)
      }
      return .plain
    }
    var access = ServerAccess(isTLS: true)
    let file = try authorityFile()
    access.authority = try host.file(file)
    if access.authority != nil { access.authorityFile = host.path(file) }
    if settings.wantsLogin {
      do throws(StepError) {
        access.login = try login()
      } catch {
        // Who is not root sees that there is one, and asks without it.
        guard effectiveUser != 0 else { throw error }
      }
      access.loginFile = host.path(place("login"))
    }
    return access
  }

  /// The certificate and key of the servers, if they are as they should be. Changes nothing.
  ///
  /// - Throws: ``StepError`` when those of one's own are not right, or a file cannot be read.
  func identity() throws(StepError) -> KeyPair? {
    if isOwn { return try ownPair() }
    guard let pair = try pair("server"), let certificate = try? Certificate(pem: pair.certificate),
      let authority = try host.file(place("ca.crt"))
    else { return nil }
    guard certificate.end - time > Self.renewedBefore || isAtEnd(certificate, authority),
      neededHosts.allSatisfy(certificate.isFor),
      (try? certificate.check(key: pair.key, authority: authority, host: "localhost", time: time)) != nil
    else { return nil }
    return pair
  }

  /// The login that is kept; `nil` when there is none.
  ///
  /// - Throws: ``StepError`` when it cannot be read.
  func login() throws(StepError) -> ServerLogin? {
    guard let bytes = try host.file(place("login")) else { return nil }
    guard let login = ServerLogin(String(decoding: bytes, as: UTF8.self)) else {
      throw StepError("\(place("login")) is damaged", .brokenStore)
    }
    return login
  }

  /// The authority that is kept; `nil` when there is none.
  ///
  /// - Throws: ``StepError`` when it is damaged: another one in its place would not be believed by any node.
  func authority() throws(StepError) -> CertificateAuthority? {
    guard let pair = try pair("ca") else {
      guard try host.file(place("ca.crt")) == nil else {
        throw StepError("\(place("ca.key")) is missing", .brokenStore)
      }
      return nil
    }
    do {
      return try CertificateAuthority(pair)
    } catch {
      throw StepError("\(place("ca.crt")), \(place("ca.key")): \(error)", .brokenStore)
    }
  }

  // MARK: What is made

  /// Makes what is missing.
  ///
  /// - Throws: ``StepError``.
  func prepare() throws(StepError) {
    _ = try access()
    guard settings.isTLS else { return }
    if isOwn {
      _ = try ownPair()
    } else if try identity() == nil {
      try renew()
    }
    if settings.wantsLogin, try login() == nil { try renewLogin() }
  }

  /// Makes a new certificate, signed by the authority that is there.
  ///
  /// - Parameter withAuthority: Whether the authority is made again too; no node knows the new one.
  /// - Throws: ``StepError``.
  func renew(withAuthority: Bool = false) throws(StepError) {
    guard !isOwn else {
      throw StepError(
        "the certificate is your own (access.certificate), so it cannot be made here", .ownCertificate)
    }
    let known = withAuthority ? nil : try authority()
    do throws(CertificateError) {
      let authority: CertificateAuthority
      if let known {
        authority = known
      } else {
        authority = try CertificateAuthority(
          name: "kubespray-offline CA \(ServerLogin.make().password.prefix(8))",
          end: time + Self.authorityYears * 365 * Self.day)
      }
      let end = min(
        time + Self.certificateYears * 365 * Self.day, try Certificate(pem: authority.pair.certificate).end)
      let issued = try authority.issue(hosts: hosts.map { ($0, ipAddressBytes($0) != nil) }, end: end)
      if known == nil { try write("ca", authority.pair) }
      try write("server", issued)
    } catch {
      throw StepError("\(error)", .again)
    }
  }

  /// Makes a new login.
  ///
  /// - Throws: ``StepError``.
  func renewLogin() throws(StepError) {
    try write("login", Array(ServerLogin.make().text.utf8), .ownerReadWrite)
  }

  // MARK: Names

  /// What the certificate has to be for.
  private var neededHosts: [String] {
    let bare = context.addresses.host.filter { !"[]".contains($0) }
    let configuration = context.configuration
    let binds = [configuration.nginx.bind, configuration.registry.bind].compactMap { $0 }
    return unique([bare, "localhost", "127.0.0.1", "::1"] + binds + configuration.access.names)
  }

  /// What it is made for: that, and whatever else this host is called.
  private var hosts: [String] {
    let name = (try? host.file("/proc/sys/kernel/hostname")).flatMap { $0 } ?? []
    let own = String(decoding: name, as: UTF8.self).filter { !$0.isWhitespace }
    let isName = own.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-.".contains($0)) }
    return unique(
      neededHosts + (own.isEmpty || !isName ? [] : [own]) + host.interfaces.addresses.prefix(64).map(\.text))
  }

  private func unique(_ texts: [String]) -> [String] {
    var seen: Set<String> = ["0.0.0.0", "::"]
    return texts.filter { seen.insert($0).inserted }
  }

  /// Whether a certificate cannot be made to end later, because its authority ends too.
  private func isAtEnd(_ certificate: Certificate, _ authority: [UInt8]) -> Bool {
    guard let above = try? Certificate(pem: authority) else { return false }
    return certificate.end >= above.end && certificate.end > time
  }

  // MARK: Files

  private func authorityFile() throws(StepError) -> FilePath {
    guard isOwn else { return place("ca.crt") }
    guard let file = settings.authority else {
      throw StepError("access.certificate is set without access.authority", .ownCertificate)
    }
    return file
  }

  /// One's own certificate, checked.
  private func ownPair() throws(StepError) -> KeyPair {
    guard let certificate = settings.certificate, let key = settings.key else {
      throw StepError("access.certificate is set without access.key", .ownCertificate)
    }
    let authority = try authorityFile()
    func bytes(_ file: FilePath) throws(StepError) -> [UInt8] {
      guard let bytes = try host.file(file) else {
        throw StepError("\(file) is not there", .ownCertificate)
      }
      return bytes
    }
    let pair = KeyPair(certificate: try bytes(certificate), key: try bytes(key))
    let authorities = try bytes(authority)
    do throws(CertificateError) {
      let bare = context.addresses.host.filter { !"[]".contains($0) }
      try Certificate(pem: pair.certificate).check(
        key: pair.key, authority: authorities, host: bare, time: time)
    } catch {
      let file =
        switch error {
        case .noKey, .otherKey: key
        case .untrusted: authority
        case .noCertificate, .notFor, .ended, .library: certificate
        }
      let when = if case .ended(let end) = error { " on \(ManifestTime.text(end))" } else { "" }
      throw StepError("\(file): \(error)\(when)", .ownCertificate)
    }
    return pair
  }

  private func place(_ name: String) -> FilePath { Self.folder.appending(name) }

  private func pair(_ name: String) throws(StepError) -> KeyPair? {
    guard let certificate = try host.file(place("\(name).crt")), let key = try host.file(place("\(name).key"))
    else { return nil }
    return KeyPair(certificate: certificate, key: key)
  }

  /// The key comes first: a certificate without it would look like a damaged store.
  private func write(_ name: String, _ pair: KeyPair) throws(CertificateError) {
    do {
      try write("\(name).key", pair.key, .ownerReadWrite)
      try write("\(name).crt", pair.certificate, .publicFile)
    } catch {
      throw .library(error.detail)
    }
  }

  private func write(_ name: String, _ bytes: [UInt8], _ permissions: FilePermissions) throws(StepError) {
    let file = host.path(place(name))
    do {
      try createDirectories(file.removingLastComponent())
      try writeAtomically(bytes, to: file, permissions: permissions)
    } catch {
      throw StepError("\(place(name)) cannot be written: \(FileError.reason(error))", .again)
    }
  }
}

extension SetupContext {
  /// The certificates and the login of this host.
  var accessStore: AccessStore { AccessStore(self) }

  /// How the servers of this host are spoken to, as far as it is decided.
  ///
  /// - Throws: ``StepError`` when the settings do not fit together.
  var access: ServerAccess {
    get throws(StepError) { try accessStore.access() }
  }
}
