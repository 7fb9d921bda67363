import Dispatch
import Synchronization

/// Computes digests over bytes in their order, beside whoever brings them: a reader or a receiver goes on meanwhile.
public final class BackgroundHasher: Sendable {
  /// Memory of what was hashed, for what comes next; several may share it.
  public final class Memory: Sendable {
    private let most: Int
    private let pieces = Mutex<[[UInt8]]>([])

    /// - Parameter most: How many pieces are kept; what is more goes back to the system.
    public init(most: Int) { self.most = most }

    /// - Parameter piece: Is taken under the lock: whoever gets it is the only one to have it, and fills it without a copy.
    fileprivate func put(_ piece: inout [UInt8]) {
      pieces.withLock { pieces in
        if pieces.count < most { pieces.append(piece) }
        piece = []
      }
    }
    fileprivate func get() -> [UInt8] { pieces.withLock { $0.popLast() } ?? [] }
  }

  /// What one thread hashes at a time: all digests so far, and what follows.
  private struct Work {
    var hashers: [DigestHasher] = []
    var bytes: [UInt8] = []
    var count = 0
  }

  /// What is to be done next.
  private enum Turn {
    /// To hash what was handed over, and to put the hashers back.
    case hash
    /// To wait for whoever hashes, who signals when that is done.
    case wait(DispatchSemaphore)
    /// To put the hashers back: there is nothing to hash.
    case nothing
  }

  private struct State {
    /// Absent while somebody hashes. Nobody does so under the lock: who waits for a lock whose holder computes takes a core from
    /// the others, since Linux has the waiting thread spin then (`FUTEX_LOCK_PI`, futex(2), which `Mutex` uses).
    var hashers: [DigestHasher]?
    var waiting: [(bytes: [UInt8], count: Int)] = []
    /// Whether a worker was woken who has not yet found that there is nothing to do.
    var isWorkerDue = false
    /// Those who wait until nobody hashes.
    var waiters: [DispatchSemaphore] = []

    /// Hands over the hashers, unless somebody has them, and what waits longest, if anything does.
    mutating func next(_ work: inout Work) -> Turn {
      guard let hashers = hashers.take() else {
        let semaphore = DispatchSemaphore(value: 0)
        waiters.append(semaphore)
        return .wait(semaphore)
      }
      work.hashers = hashers
      guard !waiting.isEmpty else { return .nothing }
      (work.bytes, work.count) = waiting.removeFirst()
      return .hash
    }

    /// Whether the caller is to wake a worker, which then counts as woken.
    mutating func wantsWorker() -> Bool {
      guard !isWorkerDue, !waiting.isEmpty else { return false }
      isWorkerDue = true
      return true
    }
  }

  /// So many bytes are worth it; fewer are hashed at once, since to wake somebody for them takes longer.
  public static let least = 64 << 10

  private let state: Mutex<State>
  private let memory: Memory
  private let most: Int

  /// Starts a computation.
  ///
  /// - Parameters:
  ///   - algorithms: Of which a digest each is computed.
  ///   - most: How many pieces may wait. Whoever brings one more hashes, too.
  ///   - memory: Where the memory comes from that is given for what is taken.
  public init(_ algorithms: [DigestAlgorithm], most: Int = 2, memory: Memory = Memory(most: 2)) {
    state = Mutex(State(hashers: algorithms.map { DigestHasher($0) }))
    self.most = most
    self.memory = memory
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
    let count = bytes.count
    bytes = exchange(&bytes, count)
    bytes.removeAll(keepingCapacity: true)
    bytes.reserveCapacity(count)
  }

  /// Hashes bytes that follow all others, sooner or later, for a reader that fills the same memory again and again.
  ///
  /// - Parameters:
  ///   - memory: Is taken; what comes back has as many bytes, whatever they are.
  ///   - count: How many of its first bytes are meant.
  public func take(_ memory: inout [UInt8], first count: Int) {
    guard count >= Self.least else {
      return memory.withUnsafeBytes { update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
    let size = memory.count
    memory = exchange(&memory, count)
    if memory.count != size { memory = [UInt8](repeating: 0, count: size) }
  }

  /// Whether as many pieces wait as may: they come faster than one core hashes them.
  public var isBehind: Bool { state.withLock { $0.waiting.count >= most } }

  /// Hashes bytes that follow all others, before it returns.
  public func update(_ bytes: UnsafeRawBufferPointer) {
    var work = finish()
    work.hashers.update(bytes)
    putBack(&work)
  }

  /// The digests of all bytes, in the order of the algorithms. Waits until they are hashed.
  public func finalize() -> [Digest] {
    var work = finish()
    defer { putBack(&work) }
    return work.hashers.map { $0.finalize() }
  }

  /// Queues bytes, and hands out memory in place of them.
  private func exchange(_ bytes: inout [UInt8], _ count: Int) -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &bytes)
    let (number, isWorkerWanted) = state.withLock { state in
      state.waiting.append((taken, count))
      taken = []
      return (state.waiting.count, state.wantsWorker())
    }
    if isWorkerWanted { wakeWorker() }
    if number > most {
      var work = Work()
      _ = hashNext(&work)
      putBack(&work)
    }
    return memory.get()
  }

  /// Hashes all that waits, whether or not a worker was woken for it: nobody is waited for but who is just hashing.
  ///
  /// - Returns: What all bytes were hashed with. Others wait until it is put back.
  private func finish() -> Work {
    var work = Work()
    while hashNext(&work) { putBack(&work) }
    return work
  }

  /// Waits until nobody hashes, and hashes what waits longest; says whether there was something. The caller has the hashers then,
  /// and puts them back.
  private func hashNext(_ work: inout Work) -> Bool {
    while true {
      switch state.withLock({ $0.next(&work) }) {
      case .hash:
        hash(&work)
        return true
      case .wait(let semaphore): semaphore.wait()
      case .nothing: return false
      }
    }
  }

  private func wakeWorker() { DispatchQueue.global().async { self.hashAll() } }

  /// Hashes what waits, as long as nobody else does, who then wakes a worker for the rest.
  private func hashAll() {
    var work = Work()
    while true {
      let isTurn = state.withLock { state in
        guard state.hashers != nil, !state.waiting.isEmpty else {
          state.isWorkerDue = false
          return false
        }
        _ = state.next(&work)
        return true
      }
      guard isTurn else { return }
      hash(&work)
      putBack(&work)
    }
  }

  private func hash(_ work: inout Work) {
    work.bytes.withUnsafeBytes { work.hashers.update(UnsafeRawBufferPointer(rebasing: $0[..<work.count])) }
    memory.put(&work.bytes)
  }

  private func putBack(_ work: inout Work) {
    let (waiters, isWorkerWanted) = state.withLock { state in
      state.hashers = work.hashers
      work.hashers = []
      let waiters = state.waiters
      state.waiters = []
      return (waiters, state.wantsWorker())
    }
    for waiter in waiters { waiter.signal() }
    if isWorkerWanted { wakeWorker() }
  }
}

extension [DigestHasher] {
  fileprivate mutating func update(_ bytes: UnsafeRawBufferPointer) {
    for index in indices { self[index].update(bytes) }
  }
}
