import Transfer

/// Asks servers of this host whether they answer.
struct Readiness: Sendable {
  private let engine: TransferEngine
  private let access: ServerAccess

  /// - Parameter access: How they are spoken to.
  /// - Throws: `TransferError` when libcurl cannot be started.
  init(_ access: ServerAccess = .plain) throws {
    self.access = access
    var configuration = TransferConfiguration()
    configuration.connectTimeout = .seconds(3)
    configuration.stallTimeout = .seconds(10)
    configuration.noProxy = "*"
    access.adjust(&configuration)
    engine = try TransferEngine(configuration)
  }

  /// The status of an answer; `nil` when there is none.
  func status(_ url: String, method: String = "GET") async -> Int? {
    var request = HTTPRequest(url: url)
    request.method = method
    access.adjust(&request)
    request.retries = 0
    request.finalStatuses = Set(500...599)
    return try? await engine.response(to: request).head.status
  }

  /// Waits until a server answers with success.
  ///
  /// - Returns: False when it has not done so in time.
  /// - Throws: `CancellationError`.
  func wait(for url: String, at most: Duration = .seconds(60), unless hasFailed: () async -> Bool = { false })
    async throws -> Bool
  {
    let clock = ContinuousClock()
    let end = clock.now + most
    while true {
      if let status = await status(url), (200..<400).contains(status) { return true }
      if await hasFailed() { return false }
      guard clock.now < end else { return false }
      try await Task.sleep(for: .milliseconds(200))
    }
  }
}
