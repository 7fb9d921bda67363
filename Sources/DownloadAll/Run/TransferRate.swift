import Cache
import Files
import FoundationEssentials
import Synchronization
import SystemPackage

/// How fast bytes came over the network, in this run and the last one that fetched enough to tell.
final class TransferRate: Sendable {
  /// Less than this says nothing about the next run.
  private static let enoughBytes: Int64 = 4 << 20

  private struct Record: Codable {
    var bytes: Int64
    var seconds: Double
  }

  private let cache: Cache
  private let moved = Mutex<(bytes: Int64, first: ContinuousClock.Instant?, last: ContinuousClock.Instant?)>(
    (0, nil, nil))

  init(_ cache: Cache) {
    self.cache = cache
  }

  private var file: FilePath { cache.file("last-rate.json") }

  /// Somebody begins to fetch.
  func begin() {
    let now = ContinuousClock.now
    moved.withLock { $0.first = $0.first ?? now }
  }

  /// Bytes have arrived.
  func note(_ bytes: Int64) {
    guard bytes > 0 else { return }
    let now = ContinuousClock.now
    moved.withLock { moved in
      moved.bytes += bytes
      moved.last = now
    }
  }

  /// The bytes per second of the last run; `nil` when nobody knows.
  var ofLastRun: Double? {
    guard let bytes = try? readBytes(file),
      let record = try? JSONDecoder().decode(Record.self, from: Data(bytes)), record.bytes > 0,
      record.seconds > 0
    else { return nil }
    return Double(record.bytes) / record.seconds
  }

  /// Keeps the rate of this run for the next one.
  func save() {
    let (bytes, first, last) = moved.withLock { $0 }
    guard bytes >= Self.enoughBytes, let first, let last else { return }
    let elapsed = (last - first).components
    let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
    guard seconds > 0, let data = try? JSONEncoder().encode(Record(bytes: bytes, seconds: seconds)) else {
      return
    }
    // An estimate that is lost is no reason to fail.
    try? writeAtomically(Array(data), to: file, isDurable: false)
  }
}
