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

  /// What the file has, each entry for itself: one of another form does not spoil the others.
  private struct Document: Decodable {
    let auths: [String: Auth]?
    let credHelpers: [String: String]?
    let credsStore: String?
  }

  private struct Auth: Decodable {
    var auth: String?
    var identitytoken: String?
    var username: String?
    var password: String?
    /// Whether it is there without saying anything: Docker leaves such entries where a helper has the secret.
    var isEmpty = false

    private enum CodingKeys: String, CodingKey { case auth, identitytoken, username, password }

    init(from decoder: any Decoder) throws {
      guard let container = try? decoder.container(keyedBy: CodingKeys.self) else { return }
      func text(_ key: CodingKeys) -> String? {
        ((try? container.decodeIfPresent(String.self, forKey: key)) ?? nil).flatMap { $0.isEmpty ? nil : $0 }
      }
      auth = text(.auth)
      identitytoken = text(.identitytoken)
      username = text(.username)
      password = text(.password)
      let known = [auth, identitytoken, username, password].contains { $0 != nil }
      isEmpty = !known && ((try? [String: String](from: decoder))?.values.allSatisfy(\.isEmpty) ?? false)
    }
  }

  /// The file.
  let path: FilePath
  private let auths: [String: Auth]
  private let helpers: [String: String]
  private let store: String?

  /// Reads a file.
  ///
  /// - Returns: `nil` when there is none, or an empty one, as `podman logout` leaves it.
  /// - Throws: ``CredentialError`` when it cannot be read or is not such a file.
  init?(_ path: FilePath) throws(CredentialError) {
    let bytes: [UInt8]
    do {
      guard let read = try readBytes(ifPresent: path, limit: 4 << 20) else { return nil }
      bytes = read
    } catch {
      throw CredentialError(
        source: path.string,
        reason: "the registry credentials cannot be read: \(FileError.reason(error))")
    }
    let text = (try? TypedText(bytes, of: path))?.content
    if let text, text.unicodeScalars.allSatisfy(\.properties.isWhitespace) { return nil }
    guard let text, let document = Self.document(Data(text.utf8)) else {
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

  /// Docker's first files had the entries at the top (`.dockercfg`).
  private static func document(_ data: Data) -> Document? {
    guard let document = try? JSONDecoder().decode(Document.self, from: data) else { return nil }
    guard document.auths == nil, document.credHelpers == nil, document.credsStore == nil,
      let auths = try? JSONDecoder().decode([String: Auth].self, from: data)
    else { return document }
    return Document(
      auths: auths.filter { $0.value.auth != nil && $0.key.contains { ".:/".contains($0) } },
      credHelpers: nil,
      credsStore: nil)
  }

  /// The entries for a repository, in the order in which they count: the helper of the registry, the most specific key,
  /// the helper of all.
  ///
  /// - Parameter onProblem: Called with an entry that is malformed, and then passed over.
  func entries(
    registry: String, repository: String, onProblem: (CredentialError) -> Void
  ) -> [Entry] {
    let server = registry == ImageReference.defaultRegistry ? "https://index.docker.io/v1/" : registry
    var entries: [Entry] = []
    if let name = helpers[registry] { entries.append(.helper(name: name, server: server)) }
    var key = "\(registry)/\(repository)"[...]
    while true {
      if let auth = auths[String(key)], !auth.isEmpty {
        do throws(CredentialError) {
          entries.append(.credential(try credential(auth, key: String(key))))
          break
        } catch {
          onProblem(error)
        }
      }
      guard let slash = key.lastIndex(of: "/") else { break }
      key = key[..<slash]
    }
    if let store { entries.append(.helper(name: store, server: server)) }
    return entries
  }

  private func credential(_ auth: Auth, key: String) throws(CredentialError) -> RegistryCredential {
    if let token = auth.identitytoken { return RegistryCredential(identityToken: token) }
    guard let encoded = auth.auth else {
      if let user = auth.username, let password = auth.password {
        return RegistryCredential(user: user, password: password)
      }
      throw CredentialError(
        source: path.string, reason: "the entry of \(key) has neither \"auth\" nor a user's name and password"
      )
    }
    guard let text = Self.decoded(encoded), let colon = text.firstIndex(of: ":"), colon != text.startIndex
    else {
      throw CredentialError(
        source: path.string, reason: "the entry of \(key) is not the base64 of USER:PASSWORD")
    }
    // Docker pads the password with zero bytes in some versions.
    let password = text[text.index(after: colon)...].drop { $0 == "\0" }
    let end = password.lastIndex { $0 != "\0" }.map { password.index(after: $0) } ?? password.startIndex
    return RegistryCredential(user: String(text[..<colon]), password: String(password[..<end]))
  }

  /// The text behind base64, of either alphabet, with line breaks and without padding too; a line break that was encoded
  /// along with it belongs to nobody's password.
  private static func decoded(_ text: String) -> String? {
    var plain = text.filter { !$0.isWhitespace && $0 != "=" }.replacing("-", with: "+").replacing(
      "_", with: "/")
    plain += String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
    guard let data = Data(base64Encoded: plain), var found = String(bytes: data, encoding: .utf8) else {
      return nil
    }
    while found.last?.isNewline == true { found.removeLast() }
    return found
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
