import Bundle
import Transfer

extension RegistryError {
  /// The network failed while something was pushed.
  init(pushing error: TransferError, _ image: ImageReference, _ endpoint: RegistryEndpoint) {
    if case .status(let status) = error.kind {
      self.init(pushing: status, error.body, "", image, endpoint, attempts: error.attempts)
      return
    }
    self.init(error, image: image, endpoint: endpoint)
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
    let reason = explanation.reason(status)
    let words = explanation.words
    let what = doing.isEmpty ? "" : " while \(doing)"
    let refusal = "the registry refuses\(what) \(reason)\(words)"
    if let refusal = PushRefusal(
      status: status, code: explanation.code, message: explanation.message, repository: image.repository)
    {
      self.init(
        .pushRefused(refusal), image: image, at: endpoint, detail: Self.detail(refusal, reason, words, image),
        code: explanation.code)
      return
    }
    let (kind, detail): (Kind, String) =
      switch status {
      case _ where Self.saysDiskIsFull(status, body): (.diskFull, "the registry's disk is full \(reason)")
      case 200..<300:
        (.badAnswer, "what answers\(what) does not do so as a registry does \(reason)\(words)")
      case 400,
        402...499 where explanation.isWebPage:
        (.badAnswer, "something else than the registry answers\(what) \(reason)\(words)")
      case _ where Self.saysReadOnly(explanation): (.readOnly, refusal)
      case 401: (.unauthorized, "the registry wants a login for this\(what) \(reason)\(words)")
      case 403: (.denied, refusal)
      case 404: (.notFound, refusal)
      case 405: (.readOnly, refusal)
      case 500...:
        (
          .transfer(.status(status)),
          "the registry failed\(what)\(attempts > 1 ? " after \(attempts) attempts" : "") \(reason)\(words)"
        )
      default: (.badAnswer, refusal)
      }
    self.init(kind, image: image, at: endpoint, detail: detail, code: explanation.code)
  }

  private static func detail(
    _ refusal: PushRefusal, _ reason: String, _ words: String, _ image: ImageReference
  ) -> String {
    switch refusal {
    case .quota: "the registry has no room left for this project: its quota is used up \(reason)\(words)"
    case .immutableTag:
      "the registry has the tag \(image.tag ?? "") already and does not let it be changed \(reason)\(words)"
    case .noProject(let name): "there is no \(name) in the registry \(reason)\(words)"
    case .moved(let address): "the registry sends on to \(address) \(reason)"
    case .mediaType(let type): "the registry does not take manifests of the type \(type) \(reason)\(words)"
    case .uploadElsewhere(let address): "the registry itself says that uploads go to \(address)"
    }
  }

  /// The registry sends on to another address.
  init(movedTo address: String, _ status: Int, _ image: ImageReference, _ endpoint: RegistryEndpoint) {
    let refusal = PushRefusal.moved(to: address)
    self.init(
      .pushRefused(refusal), image: image, at: endpoint,
      detail: Self.detail(refusal, "(\(status))", "", image))
  }

  /// The registry's address leads to something that is no registry.
  init(leading address: String, _ status: Int, _ image: ImageReference, _ endpoint: RegistryEndpoint) {
    self.init(
      .badAnswer, image: image, at: endpoint,
      detail:
        "the registry's address leads to \(address) (\(status)), which is no registry's but that of a login page or a "
        + "gateway")
  }

  /// The registry takes no manifest of that type.
  init(
    refusing type: MediaType, _ response: HTTPResponse, _ image: ImageReference, _ endpoint: RegistryEndpoint
  ) {
    let explanation = RegistryErrorBody(response.body)
    let refusal = PushRefusal.mediaType(type.rawValue)
    self.init(
      .pushRefused(refusal), image: image, at: endpoint,
      detail: Self.detail(refusal, explanation.reason(response.head.status), explanation.words, image),
      code: explanation.code)
  }

  /// The same where the registry has named another machine for what was sent.
  func naming(uploadAddress: String) -> RegistryError {
    RegistryError(
      .pushRefused(.uploadElsewhere(uploadAddress)), of: self,
      detail: "the registry itself says that uploads go to \(uploadAddress), and there: \(detail)")
  }

  /// Harbor and Quay say it in words, with a status that means something else.
  private static func saysReadOnly(_ explanation: RegistryErrorBody) -> Bool {
    explanation.message?.contains(/(?i)\bread[ -]?only\b/) ?? false
  }

  /// distribution puts the system's words into the details of an "unknown error", or, where a file or folder could not
  /// be made, the system's number alone: 28 is ENOSPC.
  private static func saysDiskIsFull(_ status: Int, _ body: [UInt8]) -> Bool {
    let text = String(decoding: body.prefix(1 << 16), as: UTF8.self)
    return text.contains("no space left on device") || text.contains(/"Err":\s*28\b/) || status == 507
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
