import FoundationEssentials
import Transfer

/// A place in an HTTP store, below which a tree of files is kept.
public struct StoreAddress: Sendable {
  /// The address without a slash at the end.
  let base: TransferURL
  /// Whether the address itself has a user's name in it.
  let hasCredentials: Bool

  /// Parses an address; slashes at its end do not count.
  ///
  /// - Throws: ``StepError`` that says what is wrong with it.
  public init(_ text: String) throws(StepError) {
    var rest = text[...]
    while rest.hasSuffix("/") { rest.removeLast() }
    guard let url = try? TransferURL(String(rest)) else {
      throw StepError(
        "the address to upload to is not an http or https URL", .uploadAddress)
    }
    guard !rest.contains("?"), !rest.contains("#") else {
      throw StepError(
        "no file can be stored below \(url.redacted): an address with ? or # cannot have files below it",
        .uploadAddress)
    }
    base = url
    let authority = rest.split(separator: "/", maxSplits: 2).dropFirst().first ?? ""
    hasCredentials = authority.contains("@")
  }

  /// The address without credentials, for people.
  public var description: String {
    var text = base.redacted
    while text.hasSuffix("/") { text.removeLast() }
    return text
  }

  /// Whether what is sent can be read on the way by others than this machine.
  public var isReadable: Bool { base.origin.scheme == "http" && isOtherMachine }

  /// Whether it is not a name of this machine for itself.
  var isOtherMachine: Bool {
    base.origin.host != "localhost" && base.origin.host != "[::1]" && !base.origin.host.hasPrefix("127.")
  }

  /// The URL of a file below it. Every byte of a name that is not unreserved is written as `%XX` (RFC 3986, section 2).
  func url(of path: String) -> String { base.text + Self.quoted(path) }

  /// The same without credentials, for people.
  func shown(_ path: String) -> String { description + Self.quoted(path) }

  private static func quoted(_ path: String) -> String {
    path.split(separator: "/").map { segment in
      "/"
        + segment.utf8.map { byte in
          let isPlain =
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || "-._~".utf8.contains(byte)
          guard !isPlain else { return String(UnicodeScalar(byte)) }
          let hex = String(byte, radix: 16, uppercase: true)
          return "%" + (hex.count == 1 ? "0" : "") + hex
        }.joined()
    }.joined()
  }
}

/// What proves to a store who asks. It never shows in texts made of it.
public struct StoreCredential: Sendable, CustomStringConvertible, CustomReflectable {
  /// The value of `Authorization`.
  let authorization: String

  /// What the environment has: `USERNAME` with `TOKEN` (a password or a token; Basic), or `TOKEN` alone (Bearer, as
  /// access tokens want it). `USERNAME` alone is set by many logins and means nothing.
  public init?(_ environment: [String: String]) {
    guard let token = environment["TOKEN"], !token.isEmpty else { return nil }
    if let user = environment["USERNAME"], !user.isEmpty {
      authorization = "Basic " + Data("\(user):\(token)".utf8).base64EncodedString()
    } else {
      authorization = "Bearer \(token)"
    }
  }

  /// Says nothing.
  public var description: String { "(hidden)" }
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
