import Bundle
import FoundationEssentials
import Transfer

extension RegistryError {
  /// The network failed while something was pushed.
  init(pushing error: TransferError, _ image: ImageReference, _ endpoint: RegistryEndpoint) {
    if case .status(let status) = error.kind {
      self.init(pushing: status, error.body, "", image, endpoint, attempts: error.attempts)
      return
    }
    self = RegistryError(error, image: image, endpoint: endpoint).forPushing(image, endpoint)
  }

  /// The same error with what helps the one who pushes.
  func forPushing(_ image: ImageReference, _ endpoint: RegistryEndpoint) -> RegistryError {
    let advice =
      switch kind {
      case .transfer(.connection) where self.advice.contains("images.plain_http"),
        .transfer(.tls) where self.advice.contains("images.plain_http"):
        "\(endpoint.host) does not speak TLS. If that is intended, allow it: --insecure."
      case .transfer(.tls):
        "If the registry's certificate is of an authority of its own, name that one's: --ca-file; check the clock."
      case .transfer(.connection), .transfer(.stalled):
        "Check that the registry runs, and run the same command again: what it has is not sent again."
      default: self.advice
      }
    return RegistryError(kind, image: image, detail: detail, advice: advice)
  }

  /// The registry refused something that was pushed.
  init(pushing response: HTTPResponse, _ doing: String, _ image: ImageReference, _ endpoint: RegistryEndpoint)
  {
    self.init(pushing: response.head.status, response.body, doing, image, endpoint, attempts: 1)
  }

  private init(
    pushing status: Int, _ body: [UInt8], _ doing: String, _ image: ImageReference,
    _ endpoint: RegistryEndpoint, attempts: Int
  ) {
    let explanation = RegistryErrorBody(body)
    let reason = "(\(status)\(explanation.code.map { " \($0)" } ?? ""))"
    let words = explanation.message.map { ": \($0)" } ?? ""
    let what = doing.isEmpty ? "" : " while \(doing)"
    let tries = attempts > 1 ? " after \(attempts) attempts" : ""
    let detail = "the registry refuses\(what) \(reason)\(words)"
    // distribution puts the system's words into the details of an "unknown error", or, where a file or folder could not
    // be made, the system's number alone: 28 is ENOSPC.
    let text = String(decoding: body.prefix(1 << 16), as: UTF8.self)
    if text.contains("no space left on device") || text.contains(/"Err":\s*28\b/) || status == 507 {
      self.init(
        .denied, image: image, detail: "the registry's disk is full \(reason)",
        advice: "Make room for it, and run the same command again: what it has is not sent again.")
      return
    }
    switch status {
    case 401:
      self.init(
        .unauthorized, image: image, detail: "the registry wants a login for this\(what) \(reason)\(words)",
        advice: "Check the rights of the account. \(Self.loginAdvice(endpoint))")
    case 403:
      self.init(
        .denied, image: image, detail: detail,
        advice: "Check that the account may push there. \(Self.loginAdvice(endpoint))")
    case 404:
      self.init(
        .notFound, image: image, detail: detail,
        advice: "Check the registry's address and path; Harbor and others want the project made first.")
    case 405:
      self.init(
        .unsupported, image: image, detail: detail,
        advice: "The registry may be read-only, or a mere cache: push into another one.")
    case 500...:
      self.init(
        .transfer(.status(status)), image: image,
        detail: "the registry failed\(what)\(tries) \(reason)\(words)",
        advice: "See the registry's log, and run the same command again: what it has is not sent again.")
    default:
      self.init(
        .badAnswer, image: image, detail: detail,
        advice: "See the registry's log, or ask who runs it.")
    }
  }

  /// Whether the same may succeed a moment later.
  var isTransient: Bool {
    guard case .transfer(let kind) = kind else { return false }
    return switch kind {
    case .connection, .stalled, .protocolViolation: true
    case .status(let status): status >= 500
    default: false
    }
  }
}
