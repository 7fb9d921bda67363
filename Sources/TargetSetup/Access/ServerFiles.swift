import Certificates
import Files
import Settings
import SystemPackage

/// The files by which a service proves who it is and knows whom to let in: copies of what the host keeps, which the
/// container of the service may read and nobody else.
struct ServerFiles: Sendable {
  /// Where the container finds them.
  static let place = "/etc/kubespray-offline"

  /// What of them there is.
  private enum Name: String, CaseIterable {
    case certificate = "server.crt"
    case key = "server.key"
    case logins = "htpasswd"
  }

  /// The folder, a path of the host into which only root looks.
  let folder: FilePath
  /// The hash that the service understands.
  let hash: @Sendable (String) throws(CertificateError) -> String
  /// The group that reads them in the container; `nil` for root.
  let group: UInt32?
  /// Whether the logins are read by an account that is known to nobody here, and so by all: the folder keeps others out.
  let isReadByOthers: Bool

  /// Those of the web server, whose workers read the logins.
  static func webServer(_ host: TargetHost) -> ServerFiles {
    ServerFiles(
      folder: host.stateFolder.appending("nginx").appending("access"),
      hash: { (password) throws(CertificateError) in PasswordHash.saltedSHA1(password) }, group: nil,
      isReadByOthers: true)
  }

  /// Those of the registry, which reads all of them as its user.
  static func registry(_ host: TargetHost, _ user: ContainerLimits.User?) -> ServerFiles {
    ServerFiles(
      folder: host.stateFolder.appending("registry").appending("access"),
      hash: { (password) throws(CertificateError) in try PasswordHash.bcrypt(password) }, group: user?.group,
      isReadByOthers: false)
  }

  /// The mounts of the container; none without TLS.
  func mounts(_ context: SetupContext) throws(StepError) -> [ContainerService.Mount] {
    let access = try context.access
    return Name.allCases.filter { $0 != .logins || context.configuration.access.wantsLogin }
      .filter { _ in access.isTLS }
      .map { .init(source: folder.appending($0.rawValue), place: "\(Self.place)/\($0.rawValue)") }
  }

  /// Whether they are as the host keeps them now.
  ///
  /// - Throws: ``StepError``.
  func areCurrent(_ context: SetupContext) throws(StepError) -> Bool {
    guard let contents = try contents(context) else { return false }
    for (name, bytes) in contents where try context.host.file(folder.appending(name.rawValue)) != bytes {
      return false
    }
    return true
  }

  /// Writes them; what the host has to keep for that is made.
  ///
  /// - Throws: ``StepError``.
  func write(_ context: SetupContext, _ journal: Journal) throws(StepError) {
    try context.accessStore.prepare()
    guard let contents = try contents(context), !contents.isEmpty else { return }
    try journal.makeFolder(folder, mode: 0o700)
    for (name, bytes) in contents {
      let mode: UInt32 =
        switch name {
        case .certificate: 0o644
        case .logins where isReadByOthers: 0o644
        case .key, .logins: group == nil ? 0o600 : 0o640
        }
      try journal.write(folder.appending(name.rawValue), bytes, mode: mode, group: group ?? 0)
    }
  }

  /// `nil` while the host does not have them; empty without TLS.
  private func contents(_ context: SetupContext) throws(StepError) -> [(Name, [UInt8])]? {
    let access = try context.access
    guard access.isTLS else { return [] }
    guard let pair = try context.accessStore.identity() else { return nil }
    var contents: [(Name, [UInt8])] = [(.certificate, pair.certificate), (.key, pair.key)]
    guard context.configuration.access.wantsLogin else { return contents }
    guard let login = access.login else { return nil }
    do {
      contents.append((.logins, Array("\(login.user):\(try hash(login.password))\n".utf8)))
    } catch {
      throw StepError("\(error)", .again)
    }
    return contents
  }
}
