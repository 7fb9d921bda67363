import CCurl

/// Drives one libcurl multi handle within the limits on parallelism. Lives on one thread and owns its handles.
final class ExchangeWorker {
  private struct Running {
    let exchange: Exchange
    let order: ExchangeOrder
  }

  private let multi: UnsafeMutableRawPointer
  private let configuration: TransferConfiguration
  private let loop: ExchangeLoop
  private var waiting = WaitingOrders()
  private var running: [UnsafeMutableRawPointer: Running] = [:]
  private var perOrigin: [TransferURL.Origin: Int] = [:]
  private let limiter: RateLimiter?

  init(multi: UnsafeMutableRawPointer, configuration: TransferConfiguration, loop: ExchangeLoop) {
    self.multi = multi
    self.configuration = configuration
    self.loop = loop
    limiter = configuration.rateLimit.map { RateLimiter(rate: $0, now: configuration.now) }
    // Large files gain from a connection each: on one shared HTTP/2 connection they would share its TCP window.
    _ = ko_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    _ = ko_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.parallel * 2)
  }

  /// Works until the loop is stopped.
  func run() {
    var isStopping = false
    while !isStopping {
      let inbox = loop.takeInbox()
      guard !inbox.isHalted else { return }
      let spare = inbox.orders.filter(\.request.isSpare)
      for order in inbox.orders where !order.request.isSpare { waiting.append(order) }
      cancel(inbox.cancelled)
      isStopping = inbox.isStopping
      startWaiting()
      for order in spare { startSpare(order, unless: inbox.cancelled) }
      var count: Int32 = 0
      curl_multi_perform(multi, &count)
      letHeldGoOn()
      collectFinished()
      if !isStopping, !canStart { curl_multi_poll(multi, nil, 0, pollTimeout, nil) }
    }
    let late = loop.close()
    for entry in Array(running.values) { remove(entry).order.cancel() }
    for order in waiting.all + late { order.cancel() }
    curl_multi_cleanup(multi)
  }

  /// How long to wait for the network, in milliseconds: not longer than somebody is held.
  private var pollTimeout: Int32 {
    guard let pause = limiter?.pause else { return 60_000 }
    return Int32(min(60_000, max(1, (pause / .milliseconds(1)).rounded(.up))))
  }

  private func letHeldGoOn() {
    guard let limiter else { return }
    while let id = limiter.next() { running.values.first { $0.order.id == id }?.exchange.goOn() }
  }

  /// Small questions come first, since whole stages wait for their answers; content leaves a quarter of the connections to
  /// them.
  private func takeNext() -> ExchangeOrder? {
    guard running.count < configuration.parallel else { return nil }
    return waiting.takeFirst(content: false, where: hasRoom)
      ?? (hasRoomForContent ? waiting.takeFirst(content: true, where: hasRoom) : nil)
  }

  private var canStart: Bool {
    guard running.count < configuration.parallel else { return false }
    return waiting.has(content: false, where: hasRoom)
      || hasRoomForContent && waiting.has(content: true, where: hasRoom)
  }

  private var hasRoomForContent: Bool {
    let contents = running.values.count { $0.order.request.isContent }
    return contents < configuration.parallel - configuration.parallel / 4
  }

  /// Starts a request for which there is a connection that nobody waits for.
  private func startSpare(_ order: ExchangeOrder, unless cancelled: Set<UInt64>) {
    let origin = order.request.url.origin
    if cancelled.contains(order.id) { return order.cancel() }
    guard hasRoom(origin), hasRoomForContent, running.count < configuration.parallel,
      !waiting.contains(origin)
    else { return order.refuse() }
    start(order)
    shareRate()
  }

  private func hasRoom(_ origin: TransferURL.Origin) -> Bool {
    perOrigin[origin, default: 0] < configuration.perHost
  }

  private func startWaiting() {
    var started = false
    while let order = takeNext() {
      start(order)
      started = true
    }
    if started { shareRate() }
  }

  private func start(_ order: ExchangeOrder) {
    do throws(TransferError) {
      let exchange = try Exchange(
        id: order.id, request: order.request, sink: order.sink, limiter: limiter,
        pace: Pace(minimum: configuration.minimumPace, window: configuration.paceWindow))
      exchange.prepare(configuration)
      curl_multi_add_handle(multi, exchange.handle)
      running[exchange.handle] = Running(exchange: exchange, order: order)
      perOrigin[order.request.url.origin, default: 0] += 1
    } catch {
      order.completion(ExchangeResult(head: nil, bytesReceived: 0, failure: error))
    }
  }

  private func cancel(_ ids: Set<UInt64>) {
    guard !ids.isEmpty else { return }
    for order in waiting.remove(ids) { order.cancel() }
    for entry in running.values.filter({ ids.contains($0.order.id) }) { remove(entry).order.cancel() }
  }

  private func collectFinished() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let entry = running[message.pointee.easy_handle] else {
        continue
      }
      let code = ko_message_result(message)
      let result = remove(entry).exchange.finish(code)
      entry.order.completion(result)
    }
  }

  @discardableResult
  private func remove(_ entry: Running) -> Running {
    curl_multi_remove_handle(multi, entry.exchange.handle)
    running[entry.exchange.handle] = nil
    limiter?.forget(entry.order.id)
    let origin = entry.order.request.url.origin
    let left = perOrigin[origin, default: 1] - 1
    perOrigin[origin] = left == 0 ? nil : left
    shareRate()
    return entry
  }

  /// Divides the bandwidth limit evenly between the exchanges under way, for what they send.
  private func shareRate() {
    guard let limit = configuration.rateLimit, !running.isEmpty else { return }
    let share = max(1, limit / Int64(running.count))
    for entry in running.values { entry.exchange.limitSending(share) }
  }
}
