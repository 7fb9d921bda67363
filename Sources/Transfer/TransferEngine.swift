import Concurrency
import Files
import Integrity
import Synchronization

/// Brings files and API answers over HTTP: in parallel, resuming, retrying, verifying while writing.
///
/// One engine serves a whole run. Its limits hold over all callers; callers simply start everything they want.
public final class TransferEngine: Sendable {
  private static let maximumRedirects = 10

  private let configuration: TransferConfiguration
  private let loop: ExchangeLoop
  /// Until when an origin asked not to be disturbed.
  private let holds = Mutex<[TransferURL.Origin: ContinuousClock.Instant]>([:])

  /// Starts the engine's thread.
  ///
  /// - Throws: ``TransferError`` when libcurl cannot be started, or a proxy's address cannot be read.
  public init(_ configuration: TransferConfiguration = TransferConfiguration()) throws(TransferError) {
    self.configuration = configuration
    try configuration.checkProxies()
    loop = try ExchangeLoop(configuration)
  }

  deinit { loop.stop() }

  /// How often an attempt without progress is repeated.
  var retries: Int { configuration.retries }

  /// Brings a file to its final name, going on from what an earlier attempt or run left.
  ///
  /// - Parameters:
  ///   - download: What, from where, and what it must be.
  ///   - onEvent: Called for progress and retries.
  /// - Throws: ``TransferError``. Nothing is then at the final name that was not there before; bytes that can be
  ///   resumed stay beside it.
  public func download(
    _ download: Download, onEvent: @escaping @Sendable (DownloadEvent) -> Void = { _ in }
  ) async throws(TransferError) -> DownloadOutcome {
    let url = try TransferURL(download.url)
    let part = try await offload { () throws(TransferError) in
      try DownloadPart(download, redactedURL: url.redacted, onEvent: onEvent)
    }
    defer { part.removeIfEmpty() }
    var attempt = DownloadAttempt(policy: RetryPolicy(configuration))
    if part.isComplete { return .downloaded(try await commit(part, attempt)) }
    var rejection: ResponseHead?
    // What was thrown away and comes again is no progress: an attempt that voids all would otherwise be repeated for ever.
    var furthest = part.kept
    while true {
      try await waitForHold(url)
      var request = ExchangeRequest(url: url, fields: part.begin())
      try await authorize(&request, by: download, after: rejection)
      request.needsFreshConnection = attempt.count > 0
      request.isContent = true
      let outcome = await bring(part, request)
      let result = outcome.result
      attempt.count += 1
      attempt.transferred += result.bytesReceived
      do throws(TransferError) {
        if result.head?.status == 304, result.failure == nil { return .notModified }
        try Self.check(result, url: url, body: outcome.errorBody)
        return .downloaded(try await commit(part, attempt))
      } catch {
        if error.kind == .status(401), rejection == nil, download.authorize != nil,
          result.head?.origin == url.origin
        {
          rejection = result.head
          continue
        }
        rejection = nil
        if error.voidsPart { part.restart() }
        let pause = try attempt.pause(after: error, head: result.head, progress: part.kept - furthest)
        furthest = max(furthest, part.kept)
        onEvent(.retrying(error, after: pause))
        try await rest(pause, url: url, head: result.head)
      }
    }
  }

  /// Asks for an answer that fits in memory. A status that is not a success is returned, not thrown, unless it is
  /// transient and stays so.
  ///
  /// - Throws: ``TransferError``.
  public func response(to request: HTTPRequest) async throws(TransferError) -> HTTPResponse {
    let url = try TransferURL(request.url)
    var limits = configuration
    limits.retries = request.retries ?? configuration.retries
    var attempt = DownloadAttempt(policy: RetryPolicy(limits))
    while true {
      try await waitForHold(url)
      let sink = MemorySink(url: url.redacted, limit: request.bodyLimit)
      var exchange = ExchangeRequest(
        method: request.method, url: url, fields: request.fields, body: request.body)
      exchange.upload = request.upload
      exchange.isContent = request.upload != nil
      exchange.stallTimeout = request.stallTimeout
      exchange.needsFreshConnection = attempt.count > 0
      let result =
        request.followsRedirects
        ? await follow(exchange, sink: sink) : await loop.perform(exchange, sink: sink)
      attempt.count += 1
      do throws(TransferError) {
        if let failure = result.failure { throw failure }
        guard let head = result.head else {
          throw TransferError(.protocolViolation, url: url.redacted, detail: "the server sent no answer")
        }
        try Self.check(head, answering: request, url: url)
        let status = TransferError.status(head.status, url: url.redacted, body: sink.bytes)
        if status.isTransient, !request.finalStatuses.contains(head.status) { throw status }
        return HTTPResponse(head: head, body: sink.bytes)
      } catch {
        let pause = try attempt.pause(after: error, head: result.head, progress: 0)
        try await rest(pause, url: url, head: result.head)
      }
    }
  }

  /// Holds an answer that fits in memory to the same rules as a file.
  private static func check(
    _ head: ResponseHead, answering request: HTTPRequest, url: TransferURL
  ) throws(TransferError) {
    guard head.isSuccess, request.method == "GET" else { return }
    let expectation = ContentExpectation(url: url.redacted)
    if request.fields["Range"] == nil, [200, 206].contains(head.status) {
      _ = try expectation.check(head)
    } else {
      try expectation.checkEncoding(head)
    }
  }

  /// Brings what is missing, over more than one connection where that is faster.
  private func bring(_ part: DownloadPart, _ request: ExchangeRequest) async -> PieceCrew.Outcome {
    let contents = configuration.parallel - configuration.parallel / 4
    return await PieceCrew(
      part, request, configuration.pieces, most: min(configuration.perHost, contents),
      follow: { await self.follow($0, sink: $1) }, perform: { await self.loop.perform($0, sink: $1) }
    ).run()
  }

  private func authorize(
    _ request: inout ExchangeRequest, by download: Download, after rejection: ResponseHead?
  ) async throws(TransferError) {
    guard let authorize = download.authorize else { return }
    guard let fields = await authorize(rejection) else {
      throw TransferError(.notAuthorized, url: request.url.redacted, detail: "not authorized")
    }
    request.fields.merge(fields)
  }

  private func commit(
    _ part: DownloadPart, _ attempt: DownloadAttempt
  ) async throws(TransferError) -> DownloadReceipt {
    // In a place within something larger nobody waits for the disk.
    let file =
      part.isPlaced
      ? try part.commit() : try await offload { () throws(TransferError) in try part.commit() }
    return DownloadReceipt(
      size: file.size, sha256: file.sha256, transferred: attempt.transferred, attempts: attempt.count,
      validator: file.validator)
  }

  /// Follows redirects. Credentials stay with the origin they were given for, and https never becomes http.
  private func follow(_ first: ExchangeRequest, sink: any ResponseSink) async -> ExchangeResult {
    var request = first
    var asked = [request.url.origin]
    var result = await loop.perform(request, sink: sink)
    for _ in 0..<Self.maximumRedirects {
      guard result.failure == nil, let head = result.head, [301, 302, 303, 307, 308].contains(head.status),
        let location = head.fields["Location"]
      else { return result }
      guard let next = request.url.resolving(location),
        next.origin.scheme == "https" || request.url.origin.scheme == "http"
      else {
        result.failure = TransferError(
          .redirect, url: first.url.redacted, detail: "the server redirects from https to an unsafe address")
        return result
      }
      if next.origin != request.url.origin {
        request.fields["Authorization"] = nil
        request.fields["Cookie"] = nil
      }
      // A login of ~/.netrc is a host's, whatever the port; what answers on another port may be somebody else.
      request.usesNetrc = asked.allSatisfy { $0.host != next.origin.host || $0.isServedWith(next.origin) }
      asked.append(next.origin)
      if head.status <= 303, request.method != "HEAD" {
        request.method = "GET"
        request.body = nil
        request.upload = nil
      }
      // What is sent may be a secret, such as a token.
      guard request.body == nil || next.origin == request.url.origin else {
        result.failure = TransferError(
          .redirect, url: first.url.redacted, detail: "the server redirects what was sent to another server")
        return result
      }
      request.url = next
      result = await loop.perform(request, sink: sink)
    }
    if let head = result.head, (300..<400).contains(head.status), head.status != 304 {
      result.failure = TransferError(.redirect, url: first.url.redacted, detail: "too many redirects")
    }
    return result
  }

  private static func check(_ result: ExchangeResult, url: TransferURL, body: [UInt8]) throws(TransferError) {
    if let failure = result.failure, failure.kind == .redirect { throw failure }
    if let head = result.head, !head.isSuccess {
      throw .status(head.status, url: url.redacted, body: body)
    }
    if let failure = result.failure { throw failure }
    guard let head = result.head, [200, 206].contains(head.status) else {
      throw TransferError(.protocolViolation, url: url.redacted, detail: "the server sent no content")
    }
  }

  /// Waits out a pause that an earlier answer of that origin asked for.
  private func waitForHold(_ url: TransferURL) async throws(TransferError) {
    while let until = holds.withLock({ $0[url.origin] }), until > .now {
      try await sleep(until - .now, url: url)
    }
    guard !Task.isCancelled else {
      throw TransferError(.cancelled, url: url.redacted, detail: "interrupted")
    }
  }

  /// Rests before the next attempt. A wish for rest by `Retry-After` holds for every request to that origin.
  private func rest(_ pause: Duration, url: TransferURL, head: ResponseHead?) async throws(TransferError) {
    if head?.fields["Retry-After"] != nil {
      holds.withLock { $0[url.origin] = max($0[url.origin] ?? .now, .now + pause) }
    }
    try await sleep(pause, url: url)
  }

  private func sleep(_ duration: Duration, url: TransferURL) async throws(TransferError) {
    do {
      try await Task.sleep(for: duration)
    } catch {
      throw TransferError(.cancelled, url: url.redacted, detail: "interrupted")
    }
  }
}

/// The book-keeping over the attempts of one transfer.
private struct DownloadAttempt {
  var policy: RetryPolicy
  var count = 0
  var transferred: Int64 = 0
  private var lastWrongDigest: Digest?

  init(policy: RetryPolicy) {
    self.policy = policy
  }

  /// The pause before trying again.
  ///
  /// - Throws: The error itself, with the number of attempts, when there is to be not a further one.
  mutating func pause(
    after error: TransferError, head: ResponseHead?, progress: Int64
  ) throws(TransferError) -> Duration {
    var final = error
    final.attempts = count
    guard error.isTransient else { throw final }
    if case .digestMismatch(_, let actual) = error.kind {
      // The same wrong bytes twice are what the server has, not an accident on the way.
      if lastWrongDigest == actual { throw final }
      lastWrongDigest = actual
    }
    let retryAfter = head?.isSuccess == false ? head?.retryAfter(now: secondsSince1970()) : nil
    if let retryAfter, retryAfter > policy.configuration.maximumRetryAfter {
      var error = TransferError(
        .waitTooLong, url: error.url,
        detail: "\(error.detail); the server asks to wait \(counted(retryAfter.components.seconds, "second"))"
      )
      error.attempts = count
      throw error
    }
    let pause = policy.pause(progress: progress, retryAfter: retryAfter, random: .random(in: 0..<1))
    guard let pause else { throw final }
    return pause
  }
}
