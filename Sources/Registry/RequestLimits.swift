import Bundle
import Files
import Synchronization
import Transfer

/// Keeps to the limits of registries.
///
/// A refusal (429) that says how long to wait is waited out, up to a bound, by every request to that registry. One
/// that does not say it is waited out with doubling pauses, except where the registry's pulls are used up: its
/// window is hours long, so that is an error at once.
final class RequestLimits: Sendable {
  private struct State {
    var limits: [RegistryEndpoint: RateLimit] = [:]
    var holds: [RegistryEndpoint: ContinuousClock.Instant] = [:]
  }

  private let configuration: RegistryConfiguration
  private let onEvent: @Sendable (RegistryEvent) -> Void
  private let state = Mutex(State())

  init(_ configuration: RegistryConfiguration, onEvent: @escaping @Sendable (RegistryEvent) -> Void) {
    self.configuration = configuration
    self.onEvent = onEvent
  }

  /// The last that was said.
  func last(_ endpoint: RegistryEndpoint) -> RateLimit? { state.withLock { $0.limits[endpoint] } }

  /// Takes note of what an answer says of the limit.
  func note(_ head: ResponseHead, _ endpoint: RegistryEndpoint) {
    guard let limit = RateLimit(head.fields) else { return }
    let isNew = state.withLock { state in
      defer { state.limits[endpoint] = limit }
      let last = state.limits[endpoint]
      return last == nil || last?.limit != limit.limit || last?.scarcity != limit.scarcity
    }
    if isNew { onEvent(.rateLimit(registry: endpoint.host, limit)) }
  }

  /// Waits out a pause that an earlier answer imposed.
  func waitForHold(_ endpoint: RegistryEndpoint, _ image: ImageReference) async throws(RegistryError) {
    while let until = state.withLock({ $0.holds[endpoint] }), until > .now {
      do {
        try await Task.sleep(until: until, clock: .continuous)
      } catch {
        throw RegistryError(.transfer(.cancelled), image: image, at: endpoint, detail: "interrupted")
      }
    }
  }

  /// Imposes the pause that a refusal asks for.
  ///
  /// - Throws: ``RegistryError`` when waiting is not worth while.
  func hold(
    after response: HTTPResponse, refusals: Int, _ endpoint: RegistryEndpoint, _ image: ImageReference
  ) throws(RegistryError) {
    let asked = response.head.retryAfter(now: secondsSince1970())
    let limit = RateLimit(response.head.fields)
    let message = RegistryErrorBody(response.body).message.map { ": \($0)" } ?? ""
    func giveUp(_ reason: String) -> RegistryError {
      RegistryError(
        .rateLimited, image: image, at: endpoint,
        detail: "the registry limits requests (429)\(message); \(reason)")
    }
    if let asked, asked > configuration.maximumWait {
      throw giveUp("it asks to wait \(counted(asked.components.seconds, "second"))")
    }
    if asked == nil, let limit, limit.remaining == 0 { throw giveUp("\(limit)") }
    guard refusals < configuration.limitRetries else {
      throw giveUp("asked \(counted(refusals + 1, "time"))")
    }
    let pause = asked ?? configuration.limitBackoff * (1 << min(refusals, 16))
    let until = ContinuousClock.now + pause
    let isLonger = state.withLock { state in
      if let held = state.holds[endpoint], held >= until { return false }
      state.holds[endpoint] = until
      return true
    }
    if isLonger { onEvent(.waiting(registry: endpoint.host, pause)) }
  }
}
