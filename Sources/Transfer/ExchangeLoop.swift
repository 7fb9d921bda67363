import CCurl
import Synchronization

/// An exchange that somebody waits for.
struct ExchangeOrder: Sendable {
  let id: UInt64
  let request: ExchangeRequest
  let sink: any ResponseSink
  let completion: @Sendable (ExchangeResult) -> Void

  /// Tells the waiting side that nothing will come.
  func cancel() { end("interrupted", isRefused: false) }

  /// Tells the waiting side that there is no connection to spare.
  func refuse() { end("no connection is to spare", isRefused: true) }

  private func end(_ detail: String, isRefused: Bool) {
    let error = TransferError(.cancelled, url: request.url.redacted, detail: detail)
    completion(ExchangeResult(bytesReceived: 0, failure: error, isRefused: isRefused))
  }
}

/// The counter where callers hand exchanges in, and the thread that runs them.
///
/// Every touch of libcurl's handles happens on the worker's thread; other threads leave orders here and wake it.
final class ExchangeLoop: Sendable {
  /// What happened since the worker last looked.
  struct Inbox: Sendable {
    var orders: [ExchangeOrder] = []
    var cancelled: Set<UInt64> = []
    var isStopping = false
    /// The process ends: nobody waits for anything any more, and libcurl must not be touched again.
    var isHalted = false
  }

  private struct State: Sendable {
    var nextID: UInt64 = 0
    var inbox = Inbox()
    /// The address of the worker's multi handle while it lives; `curl_multi_wakeup` may be called from any thread.
    var multiAddress: UInt = 0
  }

  private let state = Mutex(State())
  private let isOffline: Bool

  /// - Throws: ``TransferError`` when libcurl or the thread cannot be started.
  init(_ configuration: TransferConfiguration) throws(TransferError) {
    guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK, let multi = curl_multi_init() else {
      throw TransferError(.connection, url: "libcurl", detail: "the transfer library could not be started")
    }
    isOffline = configuration.isOffline
    let address = UInt(bitPattern: multi)
    state.withLock { $0.multiAddress = address }
    let started = TransferThreads.start(self) {
      guard let multi = UnsafeMutableRawPointer(bitPattern: address) else { return }
      ExchangeWorker(multi: multi, configuration: configuration, loop: self).run()
    }
    guard started else {
      curl_multi_cleanup(multi)
      throw TransferError(.connection, url: "libcurl", detail: "the transfer thread could not be started")
    }
  }

  /// Runs one exchange; waits for a free place first. Cancelling the task ends it at once.
  func perform(_ request: ExchangeRequest, sink: any ResponseSink) async -> ExchangeResult {
    guard !isOffline else {
      return ExchangeResult(
        head: nil, bytesReceived: 0,
        failure: TransferError(.offline, url: request.url.redacted, detail: "the network is not asked"))
    }
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        submit(ExchangeOrder(id: id, request: request, sink: sink) { continuation.resume(returning: $0) })
        // A cancellation before this line may have been looked at before the order was there.
        if Task.isCancelled { cancel(id) }
      }
    } onCancel: {
      cancel(id)
    }
  }

  /// Ends the thread; exchanges waiting or under way are cancelled.
  func stop() {
    leave { $0.isStopping = true }
  }

  /// Ends the thread without another word to anybody, because the process ends.
  func halt() {
    leave { $0.isHalted = true }
  }

  /// Everything that came in; called by the worker.
  func takeInbox() -> Inbox {
    state.withLock { state in
      defer { state.inbox = Inbox(isStopping: state.inbox.isStopping, isHalted: state.inbox.isHalted) }
      return state.inbox
    }
  }

  /// No order is accepted any more; called by the worker before the multi handle goes.
  func close() -> [ExchangeOrder] {
    state.withLock { state in
      state.multiAddress = 0
      defer { state.inbox.orders = [] }
      return state.inbox.orders
    }
  }

  private func submit(_ order: ExchangeOrder) {
    let isOpen = state.withLock { state in
      guard state.multiAddress != 0, !state.inbox.isStopping else { return false }
      // Whoever left the first one has woken the worker, which takes all of them at once.
      if state.inbox.orders.isEmpty { Self.wake(state) }
      state.inbox.orders.append(order)
      return true
    }
    if !isOpen { order.cancel() }
  }

  private func cancel(_ id: UInt64) {
    leave { $0.cancelled.insert(id) }
  }

  private func leave(_ change: (inout Inbox) -> Void) {
    state.withLock { state in
      change(&state.inbox)
      Self.wake(state)
    }
  }

  private static func wake(_ state: State) {
    guard let multi = UnsafeMutableRawPointer(bitPattern: state.multiAddress) else { return }
    curl_multi_wakeup(multi)
  }
}
