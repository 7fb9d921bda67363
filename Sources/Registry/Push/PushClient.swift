import Bundle
import Integrity
import Synchronization
import SystemPackage
import Transfer

/// Asks one registry, as distribution-spec 1.1, "Push", describes it.
final class PushClient: Sendable {
  let endpoint: RegistryEndpoint
  let configuration: PushConfiguration
  private let engine: TransferEngine
  private let authentication: RegistryAuthentication
  private let limits: RequestLimits
  /// How large a part this registry takes at once; `nil` while it takes whole blobs.
  private let chunk = Mutex<Int64?>(nil)
  /// Why the registry could not be reached the last time, as long as nothing has worked since.
  private let outage = Mutex<RegistryError?>(nil)

  init(
    engine: TransferEngine, endpoint: RegistryEndpoint, credentials: RegistryCredentials,
    configuration: PushConfiguration, onEvent: @escaping @Sendable (PushEvent) -> Void
  ) {
    self.engine = engine
    self.endpoint = endpoint
    self.configuration = configuration
    authentication = RegistryAuthentication(engine: engine, credentials: credentials, actions: "pull,push")
    var pull = RegistryConfiguration()
    pull.maximumWait = configuration.maximumWait
    pull.limitRetries = configuration.retries
    pull.limitBackoff = configuration.backoff
    limits = RequestLimits(pull) { event in
      if case .waiting = event { onEvent(.note("\(event)")) }
    }
  }

  /// How large a part this registry takes at once; `nil` while it takes whole blobs.
  var chunkSize: Int64? {
    get { chunk.withLock { $0 } }
    set { chunk.withLock { $0 = newValue } }
  }

  /// Fails at once while the registry is known to be out of reach, so that not every blob waits for it in vain.
  ///
  /// - Throws: ``RegistryError``.
  func checkReachable() throws(RegistryError) {
    if let error = outage.withLock({ $0 }) { throw error }
  }

  /// What a name stands for now; `nil` when the registry does not say that it is something.
  ///
  /// - Throws: ``RegistryError``.
  func digest(of name: String, _ image: ImageReference) async throws(RegistryError) -> Digest? {
    let request = HTTPRequest(
      "HEAD", url: endpoint.manifestURL(image, name), fields: ["Accept": MediaType.acceptedManifests])
    guard let response = try await inquire(request, image) else { return nil }
    // A registry need not say it; then the bytes do.
    if let text = response.head.fields["Docker-Content-Digest"], let digest = try? Digest(text) {
      return digest
    }
    var get = request
    get.method = "GET"
    get.bodyLimit = ManifestContent.maximumSize
    return try await inquire(get, image).map { Digest(of: $0.body) }
  }

  /// Asks whether something is there: every answer but success is a no, for then it is sent, and if it cannot be, the
  /// registry says why.
  private func inquire(
    _ question: HTTPRequest, _ image: ImageReference
  ) async throws(RegistryError) -> HTTPResponse? {
    var question = question
    question.finalStatuses = Set(400...599)
    question.followsRedirects = false
    do throws(RegistryError) {
      var response = try await ask(question, image)
      if (300..<400).contains(response.head.status) {
        // Where it leads may be out of reach from here, such as a store that only the registry knows.
        question.followsRedirects = true
        guard let other = try? await ask(question, image, isSingle: true) else { return nil }
        response = other
      }
      return response.head.isSuccess ? response : nil
    } catch {
      switch error.kind {
      case .unauthorized, .denied, .pushRefused, .transfer(.status), .transfer(.redirect): return nil
      default: throw error
      }
    }
  }

  /// Whether a repository has a blob.
  ///
  /// - Throws: ``RegistryError``.
  func has(_ blob: Descriptor, _ image: ImageReference) async throws(RegistryError) -> Bool {
    let question = HTTPRequest("HEAD", url: endpoint.blobURL(image, blob))
    guard let response = try await inquire(question, image) else { return false }
    // A gateway that says yes to everything tells another length.
    guard let size = response.head.fields["Content-Length"].flatMap(ByteSize.parse) else { return true }
    return size == blob.size
  }

  /// Puts a manifest or index under a name.
  ///
  /// - Throws: ``RegistryError``; of kind `notFound` when the registry misses something that the manifest names.
  func put(
    _ document: FetchedManifest, as name: String, _ image: ImageReference
  ) async throws(RegistryError) {
    var request = HTTPRequest(
      "PUT", url: endpoint.manifestURL(image, name),
      fields: ["Content-Type": document.descriptor.mediaType.rawValue])
    request.body = document.bytes
    request.stallTimeout = configuration.stallTimeout
    let response = try await ask(request, image)
    guard response.head.isSuccess else {
      throw isAboutType(response) && document.descriptor.mediaType.isOCI
        ? RegistryError(refusing: document.descriptor.mediaType, response, image, endpoint)
        : refusal(response, "pushing its manifest", image)
    }
    if let text = response.head.fields["Docker-Content-Digest"], let stored = try? Digest(text),
      stored.algorithm == document.descriptor.digest.algorithm, stored != document.descriptor.digest
    {
      throw RegistryError(
        .digestMismatch, image: image, at: endpoint,
        detail: "the registry stored its manifest as \(stored) where \(document.descriptor.digest) was sent")
    }
  }

  /// Whether a registry refuses a manifest for its type: some have a status for it, others words.
  private func isAboutType(_ response: HTTPResponse) -> Bool {
    if response.head.status == 415 { return true }
    guard (400..<500).contains(response.head.status) else { return false }
    let text = String(decoding: response.body.prefix(1 << 12), as: UTF8.self).lowercased()
    return [
      "media type", "mediatype", "content type", "content-type", "unsupported manifest", "schema version",
      // Google's registries, and distribution of before 2018, which takes what it does not know for schema 1.
      "manifest class", "missing signature key",
    ]
    .contains(where: text.contains)
  }

  /// Asks with authorization, once more with a new one if the first is refused, and again after a limit's pause.
  ///
  /// - Parameter isSingle: Whether a failed attempt is the caller's to repeat.
  /// - Returns: Every answer but 401 and 429, and those that pass by themselves.
  /// - Throws: ``RegistryError``.
  func ask(
    _ question: HTTPRequest, _ image: ImageReference, isSingle: Bool = false
  ) async throws(RegistryError) -> HTTPResponse {
    // An upload may be sent on to where the registry keeps its blobs, which gets no credentials.
    let isOwn = (try? TransferURL(question.url))?.origin == (try? TransferURL(endpoint.root))?.origin
    var rejection: RegistryAuthentication.Rejection?
    var refusals = 0
    while true {
      var request = question
      request.finalStatuses.insert(429)
      if isSingle { request.retries = 0 }
      let authorization =
        isOwn
        ? try await reachable(isLast: true) { () async throws(RegistryError) in
          try await authentication.authorization(for: image, at: endpoint, after: rejection)
        } : nil
      request.fields["Authorization"] = authorization
      try await limits.waitForHold(endpoint, image)
      let response = try await reachable(isLast: !isSingle) { () async throws(RegistryError) in
        do throws(TransferError) {
          return try await engine.response(to: request)
        } catch {
          throw RegistryError(pushing: error, image, endpoint)
        }
      }
      switch response.head.status {
      case 401 where isOwn && rejection == nil:
        rejection = RegistryAuthentication.Rejection(head: response.head, authorization: authorization)
      case 401: throw RegistryError(pushing: response, "", image, endpoint)
      case 429:
        try limits.hold(after: response, refusals: refusals, endpoint, image)
        refusals += 1
        rejection = nil
      default: return response
      }
    }
  }

  /// An answer that ends what was tried.
  func refusal(_ response: HTTPResponse, _ doing: String, _ image: ImageReference) -> RegistryError {
    RegistryError(pushing: response, doing, image, endpoint)
  }

  /// Takes note that the registry is out of reach, though it was asked again and again.
  func giveUp(_ error: RegistryError) {
    guard case .transfer(let kind) = error.kind,
      [.connection, .nameNotResolved, .tls, .plainHTTP].contains(kind)
    else {
      return
    }
    outage.withLock { $0 = error }
  }

  private func reachable<T: Sendable>(
    isLast: Bool, _ body: () async throws(RegistryError) -> T
  ) async throws(RegistryError) -> T {
    do throws(RegistryError) {
      let result = try await body()
      outage.withLock { $0 = nil }
      return result
    } catch {
      if isLast { giveUp(error) }
      throw error
    }
  }
}
