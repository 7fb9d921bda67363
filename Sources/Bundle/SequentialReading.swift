import Dispatch
import Files
import Integrity
import Synchronization
import SystemPackage

/// Reads the files of a bundle one after another in the order of the disk, by one reader, while the other cores hash what was
/// read: a disk that turns is not sent to and fro, and one that only says that it does is not kept waiting for one core.
struct SequentialReading: Sendable {
  /// Places of files in the manifest, and what is wrong with each, if anything.
  typealias Results = [(Int, BundleVerifier.Problem?)]

  /// How much may wait to be hashed, in pieces of 1 MiB.
  private static let waiting = 32
  /// So many results of small files are handed over together.
  private static let batch = 256

  let outputs: FilePath
  let files: [ManifestFile]
  /// How many files may be read and not yet hashed.
  let hashers: Int

  /// Begins to read. Cancelling whoever takes the results ends it.
  ///
  /// - Parameter onBytes: Called with the number of bytes read since the last call.
  func start(onBytes: @escaping @Sendable (Int64) -> Void) -> AsyncStream<Results> {
    let (stream, continuation) = AsyncStream<Results>.makeStream()
    let isStopped = Flag()
    continuation.onTermination = { _ in isStopped.set() }
    DispatchQueue.global().async {
      read(isStopped, onBytes) { continuation.yield($0) }
      continuation.finish()
    }
    return stream
  }

  private func read(
    _ isStopped: Flag, _ onBytes: (Int64) -> Void, _ tell: @escaping @Sendable (Results) -> Void
  ) {
    let order = StorageDevice.order(files.map { outputs.appending($0.path.description) })
    let room = DispatchSemaphore(value: 0)
    let places = hashers + 1
    for _ in 0..<places { room.signal() }
    var results: Results = []
    for index in order where !isStopped.isSet {
      let hasher = BackgroundHasher([.sha256], most: max(2, Self.waiting / places))
      let problem = read(files[index], hasher, isStopped, onBytes)
      if problem != nil || files[index].size < BackgroundHasher.least {
        results.append((index, problem ?? .compare(files[index], hasher.finalize()[0])))
        guard results.count >= Self.batch else { continue }
      } else {
        room.wait()
        let file = files[index]
        DispatchQueue.global().async {
          tell([(index, .compare(file, hasher.finalize()[0]))])
          room.signal()
        }
      }
      tell(results)
      results = []
    }
    for _ in 0..<places { room.wait() }
    // What was stopped in the middle is no finding.
    if !isStopped.isSet { tell(results) }
  }

  private func read(
    _ file: ManifestFile, _ hasher: BackgroundHasher, _ isStopped: Flag, _ onBytes: (Int64) -> Void
  ) -> BundleVerifier.Problem? {
    let path = outputs.appending(file.path.description)
    if case .failure(let problem) = BundleVerifier.Problem.look(at: file, path) { return problem }
    var piece: [UInt8] = []
    do {
      try readFile(path) { bytes in
        if isStopped.isSet { throw CancellationError() }
        piece.append(contentsOf: bytes)
        hasher.take(&piece)
        onBytes(Int64(bytes.count))
      }
      return nil
    } catch {
      return .unreadable(file, error)
    }
  }
}

/// Something that comes to be true once.
private final class Flag: Sendable {
  private let value = Mutex(false)
  var isSet: Bool { value.withLock { $0 } }
  func set() { value.withLock { $0 = true } }
}
