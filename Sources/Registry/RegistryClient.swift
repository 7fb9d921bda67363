import Bundle
import Integrity
import Synchronization
import SystemPackage
import Transfer

/// Asks registries for manifests and blobs (OCI distribution-spec 1.1, "Pull"; Docker's registry API V2).
///
/// One client serves a whole run and all registries: it keeps their tokens, and waits where they limit requests.
public final class RegistryClient: Sendable {
  private let engine: TransferEngine
  private let configuration: RegistryConfiguration
  private let authentication: RegistryAuthentication
  private let limits: RequestLimits

  /// Makes a client; nothing is asked yet. `onEvent` is called when a registry tells or enforces its limits.
  public convenience init(
    engine: TransferEngine, configuration: RegistryConfiguration = RegistryConfiguration(),
    credentials: RegistryCredentials = .none, onEvent: @escaping @Sendable (RegistryEvent) -> Void = { _ in }
  ) {
    self.init(
      engine: engine, configuration: configuration,
      authentication: RegistryAuthentication(engine: engine, credentials: credentials), onEvent: onEvent)
  }

  init(
    engine: TransferEngine, configuration: RegistryConfiguration, authentication: RegistryAuthentication,
    onEvent: @escaping @Sendable (RegistryEvent) -> Void
  ) {
    self.engine = engine
    self.configuration = configuration
    self.authentication = authentication
    limits = RequestLimits(configuration, onEvent: onEvent)
  }

  /// Whether the registry of a reference, or its mirror, is asked without TLS.
  public func isPlain(_ reference: ImageReference) -> Bool {
    RegistryEndpoint(registry: reference.registry, configuration: configuration).isPlain
  }

  /// Fetches what a reference names: a manifest, or an index.
  ///
  /// The bytes must hash to the reference's digest, if it has one, and to what the registry calls them.
  /// - Throws: ``RegistryError``.
  public func manifest(_ reference: ImageReference) async throws(RegistryError) -> FetchedManifest {
    let name = reference.digest?.description ?? reference.tag ?? ""
    let response = try await ask("GET", manifest: name, of: reference)
    let descriptor = try describe(response, expected: reference.digest, reference)
    return try read(response.body, descriptor, reference)
  }

  /// Fetches a manifest that an index names.
  ///
  /// - Throws: ``RegistryError``.
  public func manifest(
    _ descriptor: Descriptor, of reference: ImageReference
  ) async throws(RegistryError) -> FetchedManifest {
    let response = try await ask("GET", manifest: descriptor.digest.description, of: reference)
    guard Int64(response.body.count) == descriptor.size else {
      throw mismatch(
        "manifest \(descriptor.digest) has \(response.body.count) bytes where \(descriptor.size) were announced",
        reference)
    }
    // What an index says of the type may be wrong, or nothing.
    var served = descriptor
    served.mediaType = try describe(response, expected: descriptor.digest, reference).mediaType
    return try read(response.body, served, reference)
  }

  /// Asks whether a registry has what a reference names, without fetching it.
  ///
  /// - Throws: ``RegistryError``, also when there is no such image.
  func confirm(_ reference: ImageReference) async throws(RegistryError) {
    _ = try await ask("HEAD", manifest: reference.digest?.description ?? reference.tag ?? "", of: reference)
  }

  /// The list of what names a subject, as the registry makes it (OCI distribution-spec 1.1, "Listing Referrers").
  ///
  /// - Throws: ``RegistryError``, also for a registry that does not know the question.
  func referrersList(_ subject: Digest, of reference: ImageReference) async throws(RegistryError) -> [UInt8] {
    var request = HTTPRequest(
      url: endpoint(of: reference).referrersURL(reference, subject),
      fields: ["Accept": MediaType.ociIndex.rawValue])
    request.bodyLimit = ManifestContent.maximumSize
    return try await ask(request, what: "list of referrers ", reference).body
  }

  /// Fetches a small blob into memory, such as an image's configuration.
  ///
  /// - Throws: ``RegistryError``, also when it is larger than `ManifestContent.maximumSize`.
  public func blob(
    _ descriptor: Descriptor, of reference: ImageReference
  ) async throws(RegistryError) -> [UInt8] {
    guard descriptor.size <= ManifestContent.maximumSize else {
      throw RegistryError(
        badAnswer: "\(descriptor.digest) has \(descriptor.size) bytes, more than a configuration may have",
        image: reference)
    }
    let endpoint = endpoint(of: reference)
    let response = try await ask(
      HTTPRequest(url: endpoint.blobURL(reference, descriptor)), what: "\(descriptor.digest) ", reference)
    let actual = Digest(of: response.body, algorithm: descriptor.digest.algorithm)
    guard actual == descriptor.digest else {
      if WebPage.begins(response.body) {
        throw RegistryError(
          .badAnswer, image: reference, at: endpoint, detail: "blob \(descriptor.digest): \(WebPage.fact)")
      }
      throw mismatch("blob \(descriptor.digest) arrived with digest \(actual)", reference)
    }
    return response.body
  }

  /// Brings a blob to a file, going on from what an earlier attempt left.
  ///
  /// The bytes are hashed while they are written. The registry may redirect to object storage, which gets no
  /// credentials; a token that runs out on the way is renewed.
  /// - Parameters:
  ///   - descriptor: The blob's digest and size in bytes, which are held against what comes.
  ///   - reference: The image that it belongs to, which names registry and repository.
  ///   - destination: The file; it gets this name when it is complete and proved.
  ///   - isDurable: Whether the file must survive a power cut.
  ///   - onEvent: Called with each `DownloadEvent`, on the engine's thread: be quick.
  /// - Throws: ``RegistryError``. Nothing is then at the destination that was not there before.
  public func download(
    _ descriptor: Descriptor, of reference: ImageReference, to destination: FilePath, isDurable: Bool = true,
    onEvent: @escaping @Sendable (DownloadEvent) -> Void = { _ in }
  ) async throws(RegistryError) {
    var download = Download(
      url: "", destination: destination, digest: descriptor.digest, size: descriptor.size)
    download.isDurable = isDurable
    try await perform(download, descriptor, of: reference, onEvent)
  }

  /// Brings a blob to its place in something larger, going on from what an earlier attempt left there.
  ///
  /// - Throws: ``RegistryError``.
  public func download(
    _ descriptor: Descriptor, of reference: ImageReference, into place: any ContentPlace,
    onEvent: @escaping @Sendable (DownloadEvent) -> Void = { _ in }
  ) async throws(RegistryError) {
    var download = Download(
      url: "", destination: place.path, digest: descriptor.digest, size: descriptor.size)
    download.place = place
    try await perform(download, descriptor, of: reference, onEvent)
  }

  private func perform(
    _ download: Download, _ descriptor: Descriptor, of reference: ImageReference,
    _ onEvent: @escaping @Sendable (DownloadEvent) -> Void
  ) async throws(RegistryError) {
    let endpoint = endpoint(of: reference)
    var download = download
    download.url = endpoint.blobURL(reference, descriptor)
    do throws(RegistryError) {
      try await perform(download, descriptor, of: reference, at: endpoint, onEvent)
    } catch {
      // A registry behind this one may want to know who asks; the answer to HEAD tells where it is.
      guard error.kind == .unauthorized,
        let moved = try? await ask(
          HTTPRequest("HEAD", url: download.url), what: "\(descriptor.digest) ", reference),
        let url = moved.head.url, url.isOfRegistry, url.origin != (try? TransferURL(download.url))?.origin
      else { throw error }
      download.url = url.text
      try await perform(download, descriptor, of: reference, at: RegistryEndpoint(url.origin), onEvent)
    }
  }

  private func perform(
    _ download: Download, _ descriptor: Descriptor, of reference: ImageReference,
    at endpoint: RegistryEndpoint, _ onEvent: @escaping @Sendable (DownloadEvent) -> Void
  ) async throws(RegistryError) {
    var download = download
    let attempts = BlobAttempts()
    let authentication = authentication
    download.authorize = { rejection in
      do throws(RegistryError) {
        let rejected = rejection.map {
          RegistryAuthentication.Rejection(head: $0, authorization: attempts.authorization)
        }
        let value = try await authentication.authorization(for: reference, at: endpoint, after: rejected)
        attempts.use(value)
        return value.map { ["Authorization": $0] } ?? [:]
      } catch {
        attempts.fail(error)
        return nil
      }
    }
    do {
      _ = try await engine.download(download, onEvent: onEvent)
    } catch {
      if let failure = attempts.failure { throw failure }
      if case .status(let status) = error.kind, status != 429 {
        throw RegistryError(
          status: status, body: error.body, what: "blob \(descriptor.digest) ", image: reference,
          endpoint: endpoint)
      }
      throw RegistryError(error, image: reference, endpoint: endpoint)
    }
  }

  /// The last that a registry said of its limit.
  ///
  /// - Parameter registry: The registry's host, as in references.
  public func rateLimit(of registry: String) -> RateLimit? {
    limits.last(RegistryEndpoint(registry: registry, configuration: configuration))
  }
}

extension RegistryClient {
  private func endpoint(of reference: ImageReference) -> RegistryEndpoint {
    RegistryEndpoint(registry: reference.registry, configuration: configuration)
  }

  private func ask(
    _ method: String, manifest name: String, of reference: ImageReference
  ) async throws(RegistryError) -> HTTPResponse {
    var request = HTTPRequest(
      method, url: endpoint(of: reference).manifestURL(reference, name),
      fields: ["Accept": MediaType.acceptedManifests])
    request.bodyLimit = ManifestContent.maximumSize
    return try await ask(request, what: "", reference)
  }

  /// Asks with authorization, once more with a new one if the first is refused, and again after a limit's pause.
  private func ask(
    _ question: HTTPRequest, what: String, _ reference: ImageReference
  ) async throws(RegistryError) -> HTTPResponse {
    var endpoint = endpoint(of: reference)
    var question = question
    var hasMoved = false
    var rejection: RegistryAuthentication.Rejection?
    var refusals = 0
    while true {
      let authorization = try await authentication.authorization(
        for: reference, at: endpoint, after: rejection)
      try await limits.waitForHold(endpoint, reference)
      var request = question
      request.finalStatuses = [429]
      request.fields["Authorization"] = authorization
      let response: HTTPResponse
      do {
        response = try await engine.response(to: request)
      } catch {
        if case .tooLarge = error.kind { throw RegistryError(ManifestFormatError.tooLarge, image: reference) }
        throw RegistryError(error, image: reference, endpoint: endpoint)
      }
      limits.note(response.head, endpoint)
      switch response.head.status {
      case 200..<300: return response
      case 401 where rejection == nil && response.head.origin == (try? TransferURL(question.url))?.origin:
        rejection = RegistryAuthentication.Rejection(head: response.head, authorization: authorization)
      case 401 where !hasMoved && response.head.url?.isOfRegistry == true:
        // Another registry stands behind this one, and has wishes of its own. It gets what belongs to its own name.
        guard let url = response.head.url else { continue }
        hasMoved = true
        endpoint = RegistryEndpoint(url.origin)
        question.url = url.text
        rejection = RegistryAuthentication.Rejection(head: response.head, authorization: nil)
      case 429:
        try limits.hold(after: response, refusals: refusals, endpoint, reference)
        refusals += 1
        rejection = nil
      case let status:
        throw RegistryError(
          status: status, body: response.body, what: what, image: reference, endpoint: endpoint)
      }
    }
  }

  /// The descriptor of an answer, once its bytes are proved.
  private func describe(
    _ response: HTTPResponse, expected: Digest?, _ reference: ImageReference
  ) throws(RegistryError) -> Descriptor {
    let announced = MediaType(header: response.head.fields["Content-Type"] ?? "")
    let type: MediaType
    do {
      type = try ManifestContent.mediaType(of: response.body, announced: announced)
    } catch {
      throw RegistryError(error, image: reference)
    }
    // Its digest is that of a part of the bytes only.
    if type.isSchema1 { throw RegistryError(.schema1, image: reference) }
    var named: Digest?
    if let text = response.head.fields["Docker-Content-Digest"], !text.isEmpty {
      do {
        named = try Digest(text)
      } catch {
        throw RegistryError(
          badAnswer: "the registry's Docker-Content-Digest is wrong: \(error)", image: reference)
      }
    }
    for digest in [expected, named].compactMap({ $0 }) {
      let actual = Digest(of: response.body, algorithm: digest.algorithm)
      guard actual == digest else {
        throw mismatch("its manifest has digest \(actual) where \(digest) was announced", reference)
      }
    }
    return Descriptor(
      mediaType: type, digest: expected ?? named ?? Digest(of: response.body),
      size: Int64(response.body.count))
  }

  private func read(
    _ bytes: [UInt8], _ descriptor: Descriptor, _ reference: ImageReference
  ) throws(RegistryError) -> FetchedManifest {
    do {
      return try FetchedManifest(bytes, descriptor: descriptor)
    } catch {
      throw RegistryError(error, image: reference)
    }
  }

  private func mismatch(_ detail: String, _ reference: ImageReference) -> RegistryError {
    RegistryError(
      .digestMismatch, image: reference, at: endpoint(of: reference), detail: detail)
  }
}

/// What the attempts of one blob share.
private final class BlobAttempts: Sendable {
  private struct State {
    var authorization: String?
    var failure: RegistryError?
  }

  private let state = Mutex(State())

  var authorization: String? { state.withLock { $0.authorization } }
  var failure: RegistryError? { state.withLock { $0.failure } }

  func use(_ authorization: String?) { state.withLock { $0.authorization = authorization } }
  func fail(_ error: RegistryError) { state.withLock { $0.failure = error } }
}
