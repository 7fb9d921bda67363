import Dispatch
import Files
import Integrity
import Synchronization
import SystemPackage

/// Reads the files of a bundle one after another in the order of the disk, by one reader, while the other cores hash what was
/// read: a disk that turns is not sent to and fro. What comes faster than one core hashes it seldom comes from such a disk, since
/// those of virtual machines often only say that they turn: the rest of that file is left to the core that hashes it, and the
/// reader goes on with the next one.
struct SequentialReading: Sendable {
  /// Places of files in the manifest, and what is wrong with each, if anything.
  typealias Results = [(Int, BundleVerifier.Problem?)]

  /// How much may wait to be hashed, in pieces of 1 MiB.
  private static let waiting = 16
  private static let pieceSize = 1 << 20
  /// So many results of small files are handed over together.
  private static let batch = 256

  /// How far the reader has come with a file.
  private enum Outcome {
    case whole
    /// The rest is for whoever hashes it.
    case rest(FileDescriptor)
    case problem(BundleVerifier.Problem)
  }

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
    // In a thread beside those of the processors, which hash while it waits.
    DispatchQueue(label: "reader").async {
      read(isStopped, onBytes) { continuation.yield($0) }
      continuation.finish()
    }
    return stream
  }

  private func read(
    _ isStopped: Flag, _ onBytes: @escaping @Sendable (Int64) -> Void,
    _ tell: @escaping @Sendable (Results) -> Void
  ) {
    let order = StorageDevice.order(files.map { outputs.appending($0.path.description) })
    let room = DispatchSemaphore(value: 0)
    let places = hashers + 1
    for _ in 0..<places { room.signal() }
    var results: Results = []
    let memory = BackgroundHasher.Memory(most: Self.waiting)
    var piece = [UInt8](repeating: 0, count: Self.pieceSize)
    for index in order where !isStopped.isSet {
      let file = files[index]
      let hasher = BackgroundHasher([.sha256], most: max(2, Self.waiting / places), memory: memory)
      switch begin(file, &piece, hasher, isStopped, onBytes) {
      case .problem(let problem): results.append((index, problem))
      case .whole where file.size < BackgroundHasher.least:
        results.append((index, .compare(file, hasher.finalize()[0])))
        guard results.count >= Self.batch else { continue }
      case .whole:
        room.wait()
        DispatchQueue.global().async {
          tell([(index, .compare(file, hasher.finalize()[0]))])
          room.signal()
        }
      case .rest(let descriptor):
        room.wait()
        DispatchQueue.global().async {
          tell([(index, finish(file, descriptor, hasher, isStopped, onBytes))])
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

  private func begin(
    _ file: ManifestFile, _ piece: inout [UInt8], _ hasher: BackgroundHasher, _ isStopped: Flag,
    _ onBytes: (Int64) -> Void
  ) -> Outcome {
    let path = outputs.appending(file.path.description)
    if case .failure(let problem) = BundleVerifier.Problem.look(at: file, path) { return .problem(problem) }
    do {
      let descriptor = try openFile(path, .readOnly)
      do {
        while let count = try Self.read(descriptor, path, &piece, isStopped) {
          hasher.take(&piece, first: count)
          onBytes(Int64(count))
          if hasher.isBehind { return .rest(descriptor) }
        }
      } catch {
        try? descriptor.close()
        throw error
      }
      try? descriptor.close()
      return .whole
    } catch {
      return .problem(.unreadable(file, error))
    }
  }

  private func finish(
    _ file: ManifestFile, _ descriptor: FileDescriptor, _ hasher: BackgroundHasher, _ isStopped: Flag,
    _ onBytes: (Int64) -> Void
  ) -> BundleVerifier.Problem? {
    defer { try? descriptor.close() }
    var piece = [UInt8](repeating: 0, count: Self.pieceSize)
    do {
      let path = outputs.appending(file.path.description)
      while let count = try Self.read(descriptor, path, &piece, isStopped) {
        piece.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        onBytes(Int64(count))
      }
      return .compare(file, hasher.finalize()[0])
    } catch {
      return .unreadable(file, error)
    }
  }

  /// How many bytes of a file came next; absent at its end.
  private static func read(
    _ descriptor: FileDescriptor, _ path: FilePath, _ piece: inout [UInt8], _ isStopped: Flag
  ) throws -> Int? {
    if isStopped.isSet { throw CancellationError() }
    let count = try FileError.naming(.read, path) {
      try piece.withUnsafeMutableBytes { try descriptor.read(into: $0) }
    }
    return count == 0 ? nil : count
  }
}

/// Something that comes to be true once.
private final class Flag: Sendable {
  private let value = Mutex(false)
  var isSet: Bool { value.withLock { $0 } }
  func set() { value.withLock { $0 = true } }
}
