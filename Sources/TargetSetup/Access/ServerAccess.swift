import Certificates
import Files
import Settings
import SystemPackage
import Transfer

/// How the servers of the admin host are spoken to: over TLS or not, by whose authority they are believed, and with which
/// login.
struct ServerAccess: Sendable, Equatable {
  /// Plain HTTP, without a login.
  static let plain = ServerAccess(isTLS: false)

  /// Where a client finds the authority's certificate: the same on the admin host and on the nodes.
  static let authorityPlace: FilePath = "/etc/kubespray-offline/ca.crt"

  /// Whether they speak TLS.
  let isTLS: Bool
  /// The authority's certificate (PEM); `nil` without TLS, and while none is made yet.
  var authority: [UInt8]?
  /// The file of that certificate, by its path for this process.
  var authorityFile: FilePath?
  /// The login; `nil` when none is wanted, and while none is made yet.
  var login: ServerLogin?
  /// The file of the login, by its path for this process.
  var loginFile: FilePath?

  /// What stands before the host in their addresses, with the slashes.
  var scheme: String { Self.scheme(isTLS: isTLS) }

  /// `https://` or `http://`.
  static func scheme(isTLS: Bool) -> String { isTLS ? "https://" : "http://" }

  /// Makes an engine believe them.
  func adjust(_ configuration: inout TransferConfiguration) {
    if isTLS { configuration.caFile = authorityFile?.string ?? configuration.caFile }
  }

  /// Adds the login to a request.
  func adjust(_ request: inout HTTPRequest) {
    if let login { request.fields["Authorization"] = login.authorization }
  }
}

/// A name and a password that the servers of the admin host want. The password is random: its hash need not be slow.
struct ServerLogin: Sendable, Equatable {
  let user: String
  let password: String

  /// A new one, with a password of 128 bits.
  static func make() -> ServerLogin {
    var generator = SystemRandomNumberGenerator()
    let words = (0..<2).map { _ in
      let text = String(generator.next(), radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }
    return ServerLogin(user: "kubespray", password: words.joined())
  }

  /// The value of the field `Authorization` (RFC 7617).
  var authorization: String { "Basic \(PasswordHash.base64(Array("\(user):\(password)".utf8)))" }

  /// The file in which this host keeps it: one for curl and pip too, as it is written for all hosts (netrc(5)).
  var text: String {
    """
    # The login of this host's web server and registry, for "curl --netrc-file". Written by target-setup.
    default login \(user) password \(password)

    """
  }

  init(user: String, password: String) {
    self.user = user
    self.password = password
  }

  /// Reads that file; `nil` when it is not one.
  init?(_ text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 5, words[0] == "default", words[1] == "login", words[3] == "password" else {
        continue
      }
      self.init(user: words[2], password: words[4])
      return
    }
    return nil
  }
}
