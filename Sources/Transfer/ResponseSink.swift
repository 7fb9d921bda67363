import Synchronization

/// Where a response goes as it arrives. Called on the engine's thread, one exchange at a time.
protocol ResponseSink: AnyObject, Sendable {
  /// Takes the final response's status and fields, before any byte of its body.
  func receive(head: ResponseHead) throws(TransferError)
  /// Takes the next bytes of the body.
  func receive(_ bytes: UnsafeRawBufferPointer) throws(TransferError)
}

/// A body kept in memory, for APIs and error explanations; larger ones are refused.
final class MemorySink: ResponseSink {
  private let url: String
  private let limit: Int
  private let body = Mutex<[UInt8]>([])

  init(url: String, limit: Int) {
    self.url = url
    self.limit = limit
  }

  var bytes: [UInt8] { body.withLock { $0 } }

  func receive(head: ResponseHead) {
    body.withLock { $0.removeAll() }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) throws(TransferError) {
    let fits = body.withLock { body in
      guard body.count + bytes.count <= limit else { return false }
      body.append(contentsOf: bytes)
      return true
    }
    guard fits else {
      throw TransferError(.tooLarge, url: url, detail: "the answer is larger than \(limit) bytes")
    }
  }
}
