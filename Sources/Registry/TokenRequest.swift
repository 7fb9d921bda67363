import Bundle
import FoundationEssentials
import Transfer

/// The way to a Bearer token (distribution's docs/spec/auth/token.md and oauth.md).
struct TokenRequest: Hashable, Sendable {
  /// The token service.
  let realm: String
  /// Whether it is asked without TLS by a registry that has it: it could not keep a secret.
  let isWithoutTLS: Bool
  /// The registry's name at that service.
  let service: String?
  /// What the token is to allow: `repository:NAME:pull`; several with a blank between them.
  let scope: String

  /// A token as the service gave it.
  struct Token: Sendable {
    let text: String
    let lifetime: Duration
  }

  /// The request that a challenge asks for.
  ///
  /// - Parameters:
  ///   - scope: What the registry said is needed; `nil` is to do `actions` to the image's repository.
  ///   - actions: `pull`, or `pull,push`.
  /// - Throws: ``RegistryError`` when the registry names no token service.
  init(
    _ challenge: AuthenticationChallenge, scope: String?, actions: String = "pull", image: ImageReference,
    endpoint: RegistryEndpoint
  ) throws(RegistryError) {
    guard let realm = challenge.parameters["realm"], let url = try? TransferURL(realm) else {
      throw RegistryError(badAnswer: "the registry names no usable token service", image: image)
    }
    let isOpen = !endpoint.isPlain && url.origin.scheme == "http"
    if isOpen, url.origin.port == 80, endpoint.root.hasPrefix("https://\(url.origin.host)/") {
      // Behind a proxy that ends TLS many registries name themselves without it.
      self.realm = "https" + realm.dropFirst("http".count)
      isWithoutTLS = false
    } else {
      self.realm = realm
      isWithoutTLS = isOpen
    }
    service = challenge.parameters["service"].flatMap { $0.isEmpty ? nil : $0 }
    self.scope = scope ?? "repository:\(endpoint.repository(of: image)):\(actions)"
  }

  /// The request: anonymous, with name and password, or with an identity token.
  func request(_ credential: RegistryCredential?) -> HTTPRequest {
    var request: HTTPRequest
    switch credential?.secret {
    case .identityToken(let token):
      request = HTTPRequest("POST", url: realm)
      let form =
        parameters + [
          ("grant_type", "refresh_token"), ("client_id", "kubespray-offline"), ("refresh_token", token),
        ]
      request.fields["Content-Type"] = "application/x-www-form-urlencoded"
      request.body = Array(Self.encoded(form).utf8)
    case .password, nil:
      request = HTTPRequest(url: realm + (realm.contains("?") ? "&" : "?") + Self.encoded(query))
      request.fields["Authorization"] = credential?.basicAuthorization
    }
    request.bodyLimit = 1 << 20
    return request
  }

  /// Reads the service's answer; `nil` when it has no token that could be sent.
  static func token(of body: [UInt8]) -> Token? {
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(body)),
      let text = [answer.token, answer.accessToken].compactMap({ $0 }).first(where: { !$0.isEmpty }),
      text.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
    else { return nil }
    // The specification's default, and its least value.
    let seconds = answer.expiresIn.map { max(60, min($0, 86_400 * 365)) } ?? 60
    return Token(text: text, lifetime: .seconds(seconds))
  }

  /// The service without what may be a secret, for people.
  var shownRealm: String { (try? TransferURL(realm))?.redacted ?? "" }

  private struct Answer: Decodable {
    let token: String?
    let accessToken: String?
    /// In seconds.
    let expiresIn: Int?

    private enum CodingKeys: String, CodingKey {
      case token
      case accessToken = "access_token"
      case expiresIn = "expires_in"
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      token = try container.decodeIfPresent(String.self, forKey: .token)
      accessToken = try container.decodeIfPresent(String.self, forKey: .accessToken)
      // A number, or a number as text; the token is good whatever stands here.
      let number = (try? container.decode(Double.self, forKey: .expiresIn))
      let text = (try? container.decode(String.self, forKey: .expiresIn)).flatMap { Double($0) }
      expiresIn = (number ?? text).flatMap { Int(exactly: max(0, min($0, 1e9)).rounded()) }
    }
  }

  /// In a query each scope is a parameter of its own (token.md, "Requesting a Token").
  private var query: [(String, String)] {
    parameters.flatMap { name, value in
      name == "scope" ? value.split(separator: " ").map { (name, String($0)) } : [(name, value)]
    }
  }

  private var parameters: [(String, String)] {
    (service.map { [("service", $0)] } ?? []) + [("scope", scope)]
  }

  private static func encoded(_ parameters: [(String, String)]) -> String {
    parameters.map { "\(percentEncoded($0.0))=\(percentEncoded($0.1))" }.joined(separator: "&")
  }
}
