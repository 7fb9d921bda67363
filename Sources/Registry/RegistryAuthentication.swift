import Bundle
import Transfer

/// Proves to registries who asks: learns what each one wants, and keeps the tokens while they are good.
///
/// Credentials go to the registry they belong to (Basic), or to the token service that this registry names
/// (Bearer), and nowhere else.
actor RegistryAuthentication {
  /// An attempt that the registry turned down.
  struct Rejection: Sendable {
    /// The answer (401).
    let head: ResponseHead
    /// What the attempt had in `Authorization`.
    let authorization: String?
  }

  /// A token is not used in the last seconds of its life: the request must still arrive.
  static let margin = Duration.seconds(10)

  private struct Place: Hashable {
    let endpoint: RegistryEndpoint
    let repository: String
  }

  /// Tokens of two places are never mixed, even where one service gives them both.
  private struct TokenKey: Hashable {
    let place: Place
    let request: TokenRequest
  }

  private struct LiveToken {
    let text: String
    let expiry: ContinuousClock.Instant
  }

  /// A task's result keeps its error's type.
  private typealias Shared<Value: Sendable> = Task<Result<Value, RegistryError>, Never>

  private let engine: TransferEngine
  private let credentials: RegistryCredentials
  private let actions: String
  private let now: @Sendable () -> ContinuousClock.Instant
  private var challenges: [RegistryEndpoint: [AuthenticationChallenge]] = [:]
  private var scopes: [Place: String] = [:]
  private var tokens: [TokenKey: LiveToken] = [:]
  private var tokenTasks: [TokenKey: Shared<LiveToken>] = [:]
  private var challengeTasks: [RegistryEndpoint: Shared<[AuthenticationChallenge]>] = [:]

  /// - Parameter actions: What is to be allowed, until a registry says that something else is needed.
  init(
    engine: TransferEngine, credentials: RegistryCredentials, actions: String = "pull",
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    self.engine = engine
    self.actions = actions
    self.credentials = credentials
    self.now = now
  }

  /// The value of `Authorization` for an image's registry; `nil` where none is wanted.
  ///
  /// - Parameter rejection: The attempt before, if the registry turned it down.
  /// - Throws: ``RegistryError`` when the registry will not be satisfied.
  func authorization(
    for image: ImageReference, at endpoint: RegistryEndpoint, after rejection: Rejection? = nil
  ) async throws(RegistryError) -> String? {
    credentials.reportProblems()
    let place = Place(endpoint: endpoint, repository: endpoint.repository(of: image))
    if let rejection { learn(from: rejection.head, place: place) }
    let offered = try await challenges(of: endpoint, image)
    let hasBasic = offered.contains { $0.scheme == "basic" }
    if let bearer = offered.first(where: { $0.scheme == "bearer" }),
      bearer.parameters["realm"] != nil || !hasBasic
    {
      let token = try await token(bearer, place, image, rejected: rejection?.authorization)
      return "Bearer \(token)"
    }
    if hasBasic {
      return try await basic(place, image, rejected: rejection?.authorization)
    }
    if let scheme = offered.first?.scheme {
      throw RegistryError(
        badAnswer: "the registry wants a login of the kind \"\(scheme)\", which this program does not have",
        image: image)
    }
    return nil
  }

  private func learn(from head: ResponseHead, place: Place) {
    let offered = AuthenticationChallenge.parse(head.fields.all("WWW-Authenticate"))
    guard !offered.isEmpty else { return }
    challenges[place.endpoint] = offered
    scopes[place] = offered.first { $0.scheme == "bearer" }?.parameters["scope"] ?? scopes[place]
  }

  /// What the registry wants of everybody: the answer to `GET /v2/` says it (distribution-spec, "Determining
  /// Support"), so that no manifest need be asked in vain.
  private func challenges(
    of endpoint: RegistryEndpoint, _ image: ImageReference
  ) async throws(RegistryError) -> [AuthenticationChallenge] {
    while true {
      if let known = challenges[endpoint] { return known }
      let task = challengeTasks[endpoint] ?? Task { await self.askForChallenges(endpoint, image) }
      challengeTasks[endpoint] = task
      let result = await Self.value(of: task)
      if challengeTasks[endpoint] == task { challengeTasks[endpoint] = nil }
      switch result {
      case .success(let found):
        challenges[endpoint] = challenges[endpoint] ?? found
      case .failure(let error):
        // Another image's interruption is not this one's.
        guard case .transfer(.cancelled) = error.kind, !Task.isCancelled else { throw error.naming(image) }
      }
    }
  }

  private func askForChallenges(
    _ endpoint: RegistryEndpoint, _ image: ImageReference
  ) async -> Result<[AuthenticationChallenge], RegistryError> {
    do throws(TransferError) {
      let url = endpoint.root + "/"
      let head = try await engine.response(to: HTTPRequest(url: url, bodyLimit: 1 << 20)).head
      // Where it redirects to somebody else (registry.k8s.io does), that one's wishes are not the registry's.
      let isItsOwn = head.origin == (try TransferURL(url)).origin
      return .success(
        head.status == 401 && isItsOwn
          ? AuthenticationChallenge.parse(head.fields.all("WWW-Authenticate")) : [])
    } catch {
      return .failure(RegistryError(error, image: image, endpoint: endpoint))
    }
  }

  private func basic(
    _ place: Place, _ image: ImageReference, rejected: String?
  ) async throws(RegistryError) -> String {
    guard let value = try await credential(place, image)?.basicAuthorization else {
      throw RegistryError(
        .unauthorized, image: image, at: place.endpoint,
        detail: "the registry wants a user's name and password")
    }
    guard value != rejected else { throw RegistryError(refusedBy: "registry", image, place.endpoint) }
    return value
  }

  private func token(
    _ challenge: AuthenticationChallenge, _ place: Place, _ image: ImageReference, rejected: String?
  ) async throws(RegistryError) -> String {
    let request = try TokenRequest(
      challenge, scope: scopes[place], actions: actions, image: image, endpoint: place.endpoint)
    let key = TokenKey(place: place, request: request)
    while true {
      if let token = tokens[key], token.expiry - Self.margin > now(),
        "Bearer \(token.text)" != rejected
      {
        return token.text
      }
      let task = tokenTasks[key] ?? Task { await self.fetchToken(request, place, image) }
      tokenTasks[key] = task
      let result = await Self.value(of: task)
      if tokenTasks[key] == task { tokenTasks[key] = nil }
      switch result {
      case .success(let token):
        tokens[key] = token
        return token.text
      case .failure(let error):
        guard case .transfer(.cancelled) = error.kind, !Task.isCancelled else { throw error.naming(image) }
      }
    }
  }

  private func fetchToken(
    _ request: TokenRequest, _ place: Place, _ image: ImageReference
  ) async -> Result<LiveToken, RegistryError> {
    do throws(RegistryError) {
      let credential = try await credential(place, image)
      guard !request.isWithoutTLS || credential == nil else {
        throw RegistryError(
          badAnswer:
            "the registry names a token service without TLS (\(request.shownRealm)), which gets no credentials",
          image: image)
      }
      let response: HTTPResponse
      do {
        response = try await engine.response(to: request.request(credential))
      } catch {
        throw RegistryError(error, image: image, endpoint: place.endpoint)
      }
      guard response.head.isSuccess else {
        if [400, 401, 403].contains(response.head.status), credential != nil {
          throw RegistryError(refusedBy: "registry's token service", image, place.endpoint)
        }
        guard [401, 403].contains(response.head.status) else {
          throw RegistryError(
            badAnswer: "the registry's token service failed (\(response.head.status))", image: image)
        }
        throw RegistryError(
          status: response.head.status, body: response.body, what: "", image: image, endpoint: place.endpoint)
      }
      guard let token = TokenRequest.token(of: response.body) else {
        let isPage = ManifestContent.isWebPage(response.body)
        throw RegistryError(
          badAnswer:
            "the token service (\(request.shownRealm)) gave \(isPage ? "a web page and " : "")no token",
          image: image)
      }
      return .success(LiveToken(text: token.text, expiry: now() + token.lifetime))
    } catch {
      return .failure(error)
    }
  }

  private func credential(
    _ place: Place, _ image: ImageReference
  ) async throws(RegistryError) -> RegistryCredential? {
    do {
      return try await credentials.credential(registry: place.endpoint.host, repository: place.repository)
    } catch {
      throw RegistryError(.credentials, image: image, at: place.endpoint, detail: "\(error)")
    }
  }

  /// Waits for a task that others may wait for too; who is interrupted ends it.
  private static func value<Value>(of task: Shared<Value>) async -> Result<Value, RegistryError> {
    await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
  }
}

extension RegistryError {
  /// The credentials at hand are not accepted.
  fileprivate init(refusedBy who: String, _ image: ImageReference, _ endpoint: RegistryEndpoint) {
    self.init(
      .credentialsRefused, image: image, at: endpoint,
      detail: "the \(who) refuses the credentials for \(endpoint.host)")
  }

  /// The same trouble for another image that waited for the same answer.
  fileprivate func naming(_ image: ImageReference) -> RegistryError {
    var error = self
    error.image = image.description
    return error
  }
}
