import Files
import Host
import SystemPackage

/// The files by which the programs of a machine believe the bundle's web server and give it the login: whatever asks with
/// the certificates of the system, and with the logins of root.
struct ClientAccess: Sendable {
  /// The web server: `https://HOST[:PORT]`.
  let server: String
  /// How it is believed, and with which login it is asked.
  let access: ServerAccess

  /// The logins of root (netrc(5)): of pip, and of Ansible's get_url, by which kubespray downloads.
  static let netrc: FilePath = "/root/.netrc"
  private static let beginning = "# kubespray-offline: begin"
  private static let end = "# kubespray-offline: end"

  /// None without TLS.
  ///
  /// - Throws: ``StepError`` when root's logins cannot be read.
  func files(_ host: TargetHost) throws(StepError) -> [ClientFile] {
    guard let authority = access.authority else { return [] }
    var files = [ClientFile(path: ServerAccess.authorityPlace, content: .bytes(authority))]
    if let place = SystemTrust.place(host.system) {
      files.append(ClientFile(path: place, content: .bytes(authority)))
    }
    if let login = access.login {
      let present = String(decoding: try host.file(Self.netrc) ?? [], as: UTF8.self)
      files.append(
        ClientFile(path: Self.netrc, content: .text(netrc(with: login, in: present)), mode: 0o600))
    }
    return files
  }

  /// Root's logins with that of the web server, as a block of lines like that of the playbook.
  func netrc(with login: ServerLogin, in text: String) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    let block = [
      Self.beginning, "machine \(host) login \(login.user) password \(login.password)", Self.end,
    ]
    if let start = lines.firstIndex(of: Self.beginning), let stop = lines[start...].firstIndex(of: Self.end) {
      lines.replaceSubrange(start...stop, with: block)
    } else {
      lines += block
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The host of ``server`` without brackets and port.
  private var host: String {
    let authority = RepositoryFiles(server: server).authority
    if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
    return String(authority.prefix { $0 != ":" })
  }
}

/// The certificates that a system believes, for all programs that have none of their own.
enum SystemTrust {
  /// Where a certificate is put to be among them; `nil` where that is not known.
  static func place(_ system: OSRelease) -> FilePath? {
    switch system.family {
    case .debian: "/usr/local/share/ca-certificates/kubespray-offline.crt"
    case .redHat: "/etc/pki/ca-trust/source/anchors/kubespray-offline.crt"
    case .suse: "/etc/pki/trust/anchors/kubespray-offline.pem"
    case .other: nil
    }
  }

  /// Makes the system's list of what lies there, without what is gone. Without the program there is no list; it comes with
  /// the program.
  static func refresh(_ host: TargetHost) async {
    for (program, options) in [("update-ca-certificates", ["--fresh"]), ("update-ca-trust", [])]
    where host.hasProgram(program) {
      _ = await host.succeeds(Command(program, options))
    }
  }
}
