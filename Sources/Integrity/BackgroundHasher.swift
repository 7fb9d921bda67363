import Dispatch
import Synchronization

/// Computes digests over bytes in their order, beside whoever brings them: a reader or a receiver goes on meanwhile.
public final class BackgroundHasher: Sendable {
  private struct Queue {
    var waiting: [[UInt8]] = []
    /// The memory of what was hashed.
    var spare: [[UInt8]] = []
  }

  /// So many bytes are worth it; fewer are hashed at once, since to wake somebody for them takes longer.
  public static let least = 64 << 10

  /// Held while bytes are hashed: whoever waits for it sees them hashed.
  private let hashers: Mutex<[DigestHasher]>
  private let queue = Mutex(Queue())
  private let most: Int

  /// Starts a computation.
  ///
  /// - Parameters:
  ///   - algorithms: Of which a digest each is computed.
  ///   - most: How many pieces may wait. Whoever brings one more hashes, too.
  public init(_ algorithms: [DigestAlgorithm], most: Int = 2) {
    hashers = Mutex(algorithms.map { DigestHasher($0) })
    self.most = most
  }

  /// Hashes bytes that follow all others, sooner or later.
  ///
  /// - Parameter bytes: Are taken; what comes back is empty, with room for more.
  public func take(_ bytes: inout [UInt8]) {
    guard bytes.count >= Self.least else {
      bytes.withUnsafeBytes { update($0) }
      bytes.removeAll(keepingCapacity: true)
      return
    }
    var taken: [UInt8] = []
    swap(&taken, &bytes)
    bytes = queue.withLock { $0.spare.popLast() } ?? []
    bytes.reserveCapacity(taken.count)
    let count = queue.withLock { queue in
      queue.waiting.append(taken)
      taken = []
      return queue.waiting.count
    }
    DispatchQueue.global().async { self.hashNext() }
    if count > most { hashNext() }
  }

  /// Hashes bytes that follow all others, before it returns.
  public func update(_ bytes: UnsafeRawBufferPointer) {
    finish()
    hashers.withLock { $0.update(bytes) }
  }

  /// The digests of all bytes, in the order of the algorithms. Waits until they are hashed.
  public func finalize() -> [Digest] {
    finish()
    return hashers.withLock { $0.map { $0.finalize() } }
  }

  /// Hashes what waits, whether or not somebody was woken for it: nobody is waited for but who is just hashing.
  private func finish() { while hashNext() {} }

  /// Hashes what waits longest; says whether there was something.
  @discardableResult
  private func hashNext() -> Bool {
    hashers.withLock { hashers in
      // Taken out under the lock of the hashes, so that the order stays.
      guard var bytes = queue.withLock({ $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }) else {
        return false
      }
      bytes.withUnsafeBytes { hashers.update($0) }
      bytes.removeAll(keepingCapacity: true)
      queue.withLock { if $0.spare.count < 2 { $0.spare.append(bytes) } }
      return true
    }
  }
}

extension [DigestHasher] {
  fileprivate mutating func update(_ bytes: UnsafeRawBufferPointer) {
    for index in indices { self[index].update(bytes) }
  }
}
