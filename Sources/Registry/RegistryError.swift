import Bundle
import Transfer

/// Why an image cannot be had from its registry, or brought into it: a fact without advice.
public struct RegistryError: Error, Sendable, CustomStringConvertible {
  /// What went wrong, for callers that branch on it.
  public enum Kind: Sendable, Hashable {
    /// The registry has no such image, manifest or blob.
    case notFound
    /// The registry wants a login, or refuses the one it got.
    case unauthorized
    /// The credentials that were sent are refused.
    case credentialsRefused
    /// The registry knows who asks and says no (403).
    case denied
    /// Too many requests, and waiting is not worth while.
    case rateLimited
    /// The image exists, but not for that platform.
    case platformMissing
    /// An image that nobody could load: schema 1, a malformed manifest.
    case unsupported
    /// Not a container image but a chart or another artifact.
    case notAnImage
    /// Layers that registries do not keep.
    case foreignLayer
    /// Bytes that do not hash to the digest they go by.
    case digestMismatch
    /// An answer against the specification.
    case badAnswer
    /// Credentials cannot be read.
    case credentials
    /// The registry would be asked without TLS, which is not allowed for it.
    case insecure
    /// The registry takes nothing at that place (405).
    case readOnly
    /// The registry's disk is full.
    case diskFull
    /// The registry does not serve what lies in its folder.
    case notServed
    /// The registry does not take what is pushed, and says why.
    case pushRefused(PushRefusal)
    /// The network or the disk failed.
    case transfer(TransferError.Kind)

    /// A word for scripts, which stays the same from release to release.
    public var code: String {
      switch self {
      case .notFound: "not-found"
      case .unauthorized: "unauthorized"
      case .credentialsRefused: "credentials-refused"
      case .denied: "denied"
      case .rateLimited: "rate-limited"
      case .platformMissing: "platform-missing"
      case .unsupported: "unsupported-image"
      case .notAnImage: "not-an-image"
      case .foreignLayer: "foreign-layer"
      case .digestMismatch: "digest-mismatch"
      case .badAnswer: "bad-answer"
      case .credentials: "credentials"
      case .insecure: "insecure"
      case .readOnly: "read-only"
      case .diskFull: "disk-full"
      case .notServed: "not-served"
      case .pushRefused(let refusal): refusal.code
      case .transfer(let kind): kind.code
      }
    }
  }

  /// The image, as its full reference.
  public internal(set) var image: String
  /// The host of the registry that was asked: the image's own, or that of a mirror.
  public let registry: String
  /// What went wrong.
  public let kind: Kind
  /// The cause in a few words.
  public let detail: String
  /// The registry's own word for it, such as `MANIFEST_UNKNOWN` (distribution-spec, "Error Codes").
  public let code: String?

  init(
    _ kind: Kind, image: ImageReference, at endpoint: RegistryEndpoint? = nil, detail: String,
    code: String? = nil
  ) {
    self.image = image.description
    registry = endpoint?.host ?? image.registry
    self.kind = kind
    self.detail = detail
    self.code = code
  }

  /// The same with another cause.
  init(_ kind: Kind, of other: RegistryError, detail: String) {
    (image, registry, code) = (other.image, other.registry, other.code)
    self.kind = kind
    self.detail = detail
  }

  /// The image and what went wrong.
  public var description: String { "\(image): \(detail)" }
}

extension RegistryError {
  /// The network or the disk failed.
  init(_ error: TransferError, image: ImageReference, endpoint: RegistryEndpoint) {
    let kind: Kind =
      switch error.kind {
      case .status(429), .waitTooLong: .rateLimited
      case .digestMismatch, .sizeMismatch: .digestMismatch
      default: .transfer(error.kind)
      }
    let explanation = RegistryErrorBody(error.body)
    self.init(
      kind, image: image, at: endpoint, detail: "\(error.reason) (\(error.url))\(explanation.words)",
      code: explanation.code)
  }

  /// The registry answered with a status that is not a success.
  init(
    status: Int, body: [UInt8], what: String, image: ImageReference, endpoint: RegistryEndpoint
  ) {
    let explanation = RegistryErrorBody(body)
    let reason = explanation.reason(status)
    let (kind, detail): (Kind, String) =
      switch status {
      case 404:
        (
          .notFound,
          "\(what)not found in the registry \(reason)\(explanation.isWebPage ? explanation.words : "")"
        )
      case 401:
        (
          .unauthorized,
          "the registry wants a login, or there is no such image \(reason)\(explanation.words)"
        )
      case 403: (.denied, "the registry refuses access \(reason)\(explanation.words)")
      default: (.badAnswer, "the registry failed \(reason)\(explanation.words)")
      }
    self.init(kind, image: image, at: endpoint, detail: detail, code: explanation.code)
  }

  /// The registry's answer is against the specification.
  init(badAnswer detail: String, image: ImageReference) {
    self.init(.badAnswer, image: image, detail: detail)
  }

  /// The bytes are not a manifest that can be used.
  init(_ error: ManifestFormatError, image: ImageReference) {
    let kind: Kind =
      switch error {
      case .unknownMediaType: .notAnImage
      case .webPage: .badAnswer
      default: .unsupported
      }
    self.init(kind, image: image, detail: error.description)
  }
}
