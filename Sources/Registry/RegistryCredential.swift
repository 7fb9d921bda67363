import FoundationEssentials

/// What proves to a registry who asks. It never shows in texts made of it.
public struct RegistryCredential: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  enum Secret: Sendable, Equatable {
    /// A user's name and password.
    case password(user: String, password: String)
    /// A token that the registry's token service changes for access tokens (docs/spec/auth/oauth.md).
    case identityToken(String)
  }

  let secret: Secret

  /// A user's name and password.
  public init(user: String, password: String) { secret = .password(user: user, password: password) }

  /// A refresh token of the registry's token service.
  public init(identityToken: String) { secret = .identityToken(identityToken) }

  /// The value of `Authorization` in the scheme Basic (RFC 7617); `nil` for a token.
  var basicAuthorization: String? {
    guard case .password(let user, let password) = secret else { return nil }
    return "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
  }

  /// Says nothing.
  public var description: String { "(hidden)" }
  /// Says nothing.
  public var debugDescription: String { description }
  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Credentials that cannot be read.
public struct CredentialError: Error, Equatable, CustomStringConvertible {
  /// What was read.
  public let source: String
  /// What is wrong with it; no secret.
  public let reason: String

  /// What was read and what is wrong with it.
  public var description: String { "\(source): \(reason)" }
}
