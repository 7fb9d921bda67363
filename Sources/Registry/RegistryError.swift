import Bundle
import Transfer

/// Why an image cannot be had from its registry, said for people.
public struct RegistryError: Error, Sendable, CustomStringConvertible {
  /// What went wrong, for callers that branch on it.
  public enum Kind: Sendable, Hashable {
    /// The registry has no such image, manifest or blob.
    case notFound
    /// The registry wants a login, or refuses the one it got.
    case unauthorized
    /// The registry knows who asks and says no (403).
    case denied
    /// Too many requests, and waiting is not worth while.
    case rateLimited
    /// The image exists, but not for that platform.
    case platformMissing
    /// An image that nobody could load: schema 1, foreign layers, no image at all.
    case unsupported
    /// Bytes that do not hash to the digest they go by.
    case digestMismatch
    /// An answer against the specification.
    case badAnswer
    /// Credentials cannot be read.
    case credentials
    /// The network or the disk failed.
    case transfer(TransferError.Kind)
  }

  /// The image, as its full reference.
  public let image: String
  /// What went wrong.
  public let kind: Kind
  /// The cause in a few words.
  public let detail: String
  /// What to do next.
  public let advice: String

  init(_ kind: Kind, image: ImageReference, detail: String, advice: String) {
    self.image = image.description
    self.kind = kind
    self.detail = detail
    self.advice = advice
  }

  /// The image, what went wrong, and what to do next.
  public var description: String { "\(image): \(detail). \(advice)" }
}

extension RegistryError {
  /// The network or the disk failed.
  init(_ error: TransferError, image: ImageReference, endpoint: RegistryEndpoint) {
    let tries = error.attempts > 1 ? " after \(error.attempts) attempts" : ""
    let detail = "\(error.detail)\(tries) (\(error.url))"
    let signs = ["wrong version number", "unexpected TLS packet", "packet length too long"]
    if !endpoint.isPlain, signs.contains(where: error.detail.contains) {
      self.init(
        .transfer(error.kind), image: image, detail: detail,
        advice: "\(endpoint.host) does not speak TLS. If that is intended, add it to images.plain_http.")
      return
    }
    switch error.kind {
    case .status(429), .waitTooLong:
      self.init(.rateLimited, image: image, detail: detail, advice: Self.rateAdvice(endpoint))
    case .digestMismatch, .sizeMismatch:
      self.init(.digestMismatch, image: image, detail: detail, advice: error.advice)
    default:
      self.init(.transfer(error.kind), image: image, detail: detail, advice: error.advice)
    }
  }

  /// The registry answered with a status that is no success.
  init(
    status: Int, body: [UInt8], what: String, image: ImageReference, endpoint: RegistryEndpoint
  ) {
    let explanation = RegistryErrorBody(body)
    let reason = "(\(status)\(explanation.code.map { " \($0)" } ?? ""))"
    let words = explanation.message.map { ": \($0)" } ?? ""
    switch status {
    case 404:
      self.init(
        .notFound, image: image, detail: "\(what)not found in the registry \(reason)",
        advice: "Check the name and the tag.")
    case 401:
      self.init(
        .unauthorized, image: image,
        detail: "the registry wants a login, or there is no such image \(reason)\(words)",
        advice: "Check the name. \(Self.loginAdvice(endpoint))")
    case 403:
      self.init(
        .denied, image: image, detail: "the registry refuses access \(reason)\(words)",
        advice: "Check the name and the rights of the account. \(Self.loginAdvice(endpoint))")
    default:
      self.init(
        .badAnswer, image: image, detail: "the registry failed \(reason)\(words)",
        advice: "Try again later, or use a mirror (mirrors:).")
    }
  }

  /// The registry's answer is against the specification.
  init(badAnswer detail: String, image: ImageReference) {
    self.init(.badAnswer, image: image, detail: detail, advice: "Try again, or use a mirror (mirrors:).")
  }

  /// The bytes are no manifest that can be used.
  init(_ error: ManifestFormatError, image: ImageReference) {
    let advice =
      switch error {
      case .schema1: "Use a newer tag, or have the image pushed again by a current tool."
      case .unknownMediaType: "Check the name: this may be a chart or another artifact, not an image."
      case .tooLarge, .malformed: "Tell whoever publishes the image, or use another tag."
      }
    self.init(.unsupported, image: image, detail: error.description, advice: advice)
  }

  /// How to log in to a registry.
  static func loginAdvice(_ endpoint: RegistryEndpoint) -> String {
    let variables = RegistryCredentials.variableNames(registry: endpoint.host)
    return "To log in: podman login \(endpoint.host) (or docker login), or set \(variables.user) and "
      + "\(variables.password)."
  }

  /// What to do against limits.
  static func rateAdvice(_ endpoint: RegistryEndpoint) -> String {
    "Wait, or use a mirror (mirrors:), or log in for a higher limit. \(loginAdvice(endpoint))"
  }
}
