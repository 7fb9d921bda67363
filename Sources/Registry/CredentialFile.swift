import Bundle
import Files
import FoundationEssentials
import SystemPackage

/// One `auth.json` or `config.json` (containers-auth.json(5); Docker's config.json has the same shape).
struct CredentialFile: Sendable {
  /// Where a registry's credentials are.
  enum Entry: Sendable, Equatable {
    /// In the file.
    case credential(RegistryCredential)
    /// With a program named `docker-credential-NAME`, under this server's name.
    case helper(name: String, server: String)
  }

  private struct Document: Decodable {
    struct Auth: Decodable {
      let auth: String?
      let identitytoken: String?

      var isEmpty: Bool { (auth ?? "").isEmpty && (identitytoken ?? "").isEmpty }
    }
    let auths: [String: Auth]?
    let credHelpers: [String: String]?
    let credsStore: String?
  }

  /// The file.
  let path: FilePath
  private let auths: [String: Document.Auth]
  private let helpers: [String: String]
  private let store: String?

  /// Reads a file.
  ///
  /// - Returns: `nil` when there is none.
  /// - Throws: ``CredentialError`` when it cannot be read or is not such a file.
  init?(_ path: FilePath) throws(CredentialError) {
    let bytes: [UInt8]
    do {
      guard let read = try readBytes(ifPresent: path) else { return nil }
      bytes = read
    } catch {
      throw CredentialError(
        source: path.string,
        reason: "the registry credentials cannot be read: \(FileError.reason(error))")
    }
    let document: Document
    do {
      document = try JSONDecoder().decode(Document.self, from: Data(bytes))
    } catch {
      // The error's own text may quote the content.
      throw CredentialError(
        source: path.string, reason: "it is not a file of registry credentials (JSON with \"auths\")")
    }
    self.path = path
    // Where two keys mean one place, the one that is written as such wins.
    auths = Dictionary((document.auths ?? [:]).map { (Self.normalized($0), ($0, $1)) }) { first, second in
      Self.normalized(first.0) == first.0 ? first : second
    }.mapValues(\.1)
    helpers = Dictionary((document.credHelpers ?? [:]).map { (Self.normalized($0), $1) }) { first, _ in first
    }
    store = document.credsStore.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The entry for a repository; the most specific key wins.
  ///
  /// - Throws: ``CredentialError`` when that entry is malformed.
  func entry(registry: String, repository: String) throws(CredentialError) -> Entry? {
    let server = registry == ImageReference.defaultRegistry ? "https://index.docker.io/v1/" : registry
    if let name = helpers[registry] { return .helper(name: name, server: server) }
    var key = "\(registry)/\(repository)"[...]
    while true {
      if let auth = auths[String(key)], !auth.isEmpty {
        return .credential(try credential(auth, key: String(key)))
      }
      guard let slash = key.lastIndex(of: "/") else { break }
      key = key[..<slash]
    }
    return store.map { .helper(name: $0, server: server) }
  }

  private func credential(_ auth: Document.Auth, key: String) throws(CredentialError) -> RegistryCredential {
    if let token = auth.identitytoken, !token.isEmpty { return RegistryCredential(identityToken: token) }
    guard let data = Data(base64Encoded: auth.auth ?? ""), let text = String(bytes: data, encoding: .utf8),
      let colon = text.firstIndex(of: ":"), colon != text.startIndex
    else {
      throw CredentialError(
        source: path.string, reason: "the entry of \(key) is not the base64 of USER:PASSWORD")
    }
    // Docker pads the password with zero bytes in some versions.
    let password = text[text.index(after: colon)...].drop { $0 == "\0" }
    let end = password.lastIndex { $0 != "\0" }.map { password.index(after: $0) } ?? password.startIndex
    return RegistryCredential(user: String(text[..<colon]), password: String(password[..<end]))
  }

  /// A key as `host[:port]` or `host[:port]/path`: Docker writes `https://index.docker.io/v1/` and the like.
  static func normalized(_ key: String) -> String {
    var rest = key[...]
    var isURL = false
    for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) {
      rest = rest.dropFirst(scheme.count)
      isURL = true
    }
    while rest.hasSuffix("/") { rest.removeLast() }
    var parts = rest.split(separator: "/", maxSplits: 1).map(String.init)
    guard let first = parts.first else { return key }
    let host = first.lowercased()
    parts[0] = ["index.docker.io", "registry-1.docker.io"].contains(host) ? "docker.io" : host
    let isHostOnly = isURL || parts.count == 1 || ["v1", "v2"].contains(parts[1])
    return isHostOnly ? parts[0] : parts.joined(separator: "/")
  }
}
