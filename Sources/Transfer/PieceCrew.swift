import Concurrency
import Synchronization

/// Brings the missing bytes of one file: over one connection on which the download depends, and over others for as long
/// as they make it faster and nobody else wants them.
struct PieceCrew: Sendable {
  /// How an attempt ended.
  struct Outcome: Sendable {
    var result: ExchangeResult
    var errorBody: [UInt8]
  }

  private enum Event: Sendable {
    case ended(Outcome)
    case helped(HelpEnd, Int64)
    case measured
  }

  private enum HelpEnd: Sendable { case done, notFree, failed }

  let part: DownloadPart
  /// The request for all that is missing, or for the first of it.
  let request: ExchangeRequest
  let policy: PiecePolicy
  /// The most connections.
  let most: Int
  /// Sends a request on which the download depends.
  let follow: @Sendable (ExchangeRequest, any ResponseSink) async -> ExchangeResult
  /// Sends one for which a connection is used only if nobody else wants it.
  let perform: @Sendable (ExchangeRequest, any ResponseSink) async -> ExchangeResult
  /// How many helpers go on.
  private let kept = Shared(Int64.max)
  /// What a helper gets.
  private let shares: Shared<PieceShares>

  init(
    _ part: DownloadPart, _ request: ExchangeRequest, _ policy: PiecePolicy, most: Int,
    follow: @escaping @Sendable (ExchangeRequest, any ResponseSink) async -> ExchangeResult,
    perform: @escaping @Sendable (ExchangeRequest, any ResponseSink) async -> ExchangeResult
  ) {
    (self.part, self.request, self.policy, self.most) = (part, request, policy, most)
    (self.follow, self.perform) = (follow, perform)
    shares = Shared(PieceShares(size: .max, least: policy.sizes.lowerBound))
  }

  /// Works until all bytes are here or the connection on which the download depends has failed.
  func run() async -> Outcome {
    await withTaskGroup(of: Event.self) { group in
      group.addTask { .ended(await bring()) }
      if most > 1, part.mayHavePieces { group.addTask { await measure() } }
      var control = CrewControl(policy, most: most)
      var outcome: Outcome?
      var (helpers, received) = (0, Int64(0))
      for await event in group {
        switch event {
        case .ended(let end):
          outcome = end
          group.cancelAll()
        case .helped(let end, let bytes):
          helpers -= 1
          received += bytes
          if end == .notFree { control.wereNotFree() }
          if end == .failed { control.settle() }
        case .measured:
          guard outcome == nil else { continue }
          group.addTask { await measure() }
          let now = ContinuousClock.now
          guard let outlook = part.outlook(at: now) else { continue }
          let advice = control.advise(
            arrived: outlook.arrived, left: outlook.left, connections: helpers + 1,
            onlyTail: !part.storage.keepsPieces, at: now)
          switch advice {
          case .wait: break
          case .keep(let connections): kept.value = Int64(connections) - 1
          case .add(let count, let shares):
            self.shares.value = shares
            if shares.split != nil { kept.value = .max }
            for number in helpers..<helpers + count { group.addTask { await help(number) } }
            helpers += count
          }
        }
      }
      var end = outcome ?? Outcome(result: ExchangeResult(bytesReceived: 0), errorBody: [])
      end.result.bytesReceived += received
      return end
    }
  }

  private func measure() async -> Event {
    try? await Task.sleep(for: policy.interval)
    return .measured
  }

  /// The work of the connection on which the download depends.
  private func bring() async -> Outcome {
    var outcome = Outcome(result: await follow(request, part), errorBody: [])
    part.endFirst()
    outcome.errorBody = part.errorBody
    if part.firstWasCut { outcome.result.failure = nil }
    do throws(TransferError) {
      try part.settle()
      while outcome.result.failure == nil, [200, 206].contains(outcome.result.head?.status) {
        let next = part.nextPiece(shares.value, patience: policy.patience)
        guard !next.isDone else { break }
        guard let piece = next.sink else {
          // Others are bringing the last bytes.
          try await pause()
          continue
        }
        var request = self.request
        request.fields = part.fields(of: piece.range, request.fields)
        request.needsFreshConnection = false
        var result = await follow(request, piece)
        try await end(piece, &result)
        result.bytesReceived += outcome.result.bytesReceived
        outcome = Outcome(result: result, errorBody: piece.body.bytes)
      }
    } catch {
      outcome.result.failure = error
    }
    return outcome
  }

  private func pause() async throws(TransferError) {
    do {
      try await Task.sleep(for: .milliseconds(10))
    } catch {
      throw TransferError(.cancelled, url: request.url.redacted, detail: "interrupted")
    }
  }

  private func end(_ piece: PieceSink, _ result: inout ExchangeResult) async throws(TransferError) {
    let (part, number) = (part, piece.number)
    let isWhole = part.isWhole(piece)
    try await offload { () throws(TransferError) in try part.endPiece(number) }
    if isWhole, result.failure?.kind == .cancelled { result.failure = nil }
  }

  /// The work of a further connection.
  private func help(_ number: Int) async -> Event {
    var received: Int64 = 0
    while number < kept.value, !Task.isCancelled, let piece = part.nextPiece(shares.value) {
      var result = await perform(helperRequest(piece), piece)
      received += result.bytesReceived
      if result.failure?.kind == .protocolViolation { part.refusePieces() }
      do throws(TransferError) {
        try await end(piece, &result)
      } catch {
        return .helped(.failed, received)
      }
      // Also when the first connection was there before the answer: another piece lies further ahead.
      if result.isRefused || result.failure?.kind == .cancelled { return .helped(.notFree, received) }
      guard result.failure == nil, result.head?.status == 206 else { return .helped(.failed, received) }
    }
    return .helped(.done, received)
  }

  /// A piece is asked of the server that brings the file, whoever named it: another one might have another file.
  private func helperRequest(_ piece: PieceSink) -> ExchangeRequest {
    var request = self.request
    request.isSpare = true
    request.needsFreshConnection = false
    if let url = part.head?.url, url != request.url {
      request.usesNetrc =
        request.url.origin.host != url.origin.host || request.url.origin.isServedWith(url.origin)
      if url.origin != request.url.origin {
        request.fields["Authorization"] = nil
        request.fields["Cookie"] = nil
      }
      request.url = url
    }
    request.fields = part.fields(of: piece.range, request.fields)
    return request
  }
}

/// A value that several tasks read and one changes.
private final class Shared<Value: Sendable>: Sendable {
  private let shared: Mutex<Value>
  init(_ value: Value) { shared = Mutex(value) }
  var value: Value {
    get { shared.withLock { $0 } }
    set { shared.withLock { $0 = newValue } }
  }
}
