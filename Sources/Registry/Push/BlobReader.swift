import Integrity
import Synchronization
import SystemPackage
import Transfer

/// Reads one blob out of an archive and proves it on the way: its last byte is handed out only when all bytes hash to
/// its digest. Of an archive that was proved just before, and for a registry that hashes what it gets, that may be left out.
final class BlobReader: UploadBody {
  /// A place in the blob, with what is known of the bytes before it.
  private struct Place {
    var stream: StoredStream
    var position: Int64 = 0
    /// `nil` where nothing is to be hashed.
    var hasher: DigestHasher?
  }

  private struct State {
    var place: Place
    /// Where the part begins that is sent now, and where it ends.
    var start: Place
    var end: Int64
    /// How far the blob has been reported as sent.
    var reported: Int64 = 0
    var failure: (any Error)?
  }

  let descriptor: Descriptor
  private let archive: FilePath
  private let first: Place
  private let isProved: Bool
  private let state: Mutex<State>
  private let onProgress: @Sendable (Int64) -> Void

  /// A blob.
  ///
  /// - Parameters:
  ///   - file: Where it lies.
  ///   - archive: Which archive to name when it is damaged.
  ///   - isProved: Whether its bytes are not hashed unless ``doubt()`` is called.
  ///   - onProgress: Called with how many more bytes were read; a negative number when some are read again.
  /// - Throws: ``ImageArchiveError`` when it has another length.
  init(
    _ descriptor: Descriptor, in file: TarIndex.File, of archive: FilePath, isProved: Bool = false,
    onProgress: @escaping @Sendable (Int64) -> Void
  ) throws(ImageArchiveError) {
    guard file.size == descriptor.size else { throw .incomplete(archive, blob: descriptor.digest) }
    self.descriptor = descriptor
    self.archive = archive
    self.isProved = isProved
    self.onProgress = onProgress
    first = Place(stream: file.start, hasher: DigestHasher(descriptor.digest.algorithm))
    var start = first
    if isProved { start.hasher = nil }
    state = Mutex(State(place: start, start: start, end: descriptor.size))
  }

  /// The bytes of the part that is sent now.
  var size: Int64 { state.withLock { $0.end - $0.start.position } }

  /// Why the archive could not be read.
  var failure: (any Error)? { state.withLock { $0.failure } }

  /// Chooses the part that is sent next. Bytes before it that were not read yet are read and hashed: may take long.
  ///
  /// - Throws: ``ImageArchiveError``, `FileError`.
  func select(_ range: Range<Int64>) throws {
    try state.withLock { state in
      state.end = range.upperBound
      if range.lowerBound == state.start.position {
        state.place = state.start
      } else if range.lowerBound < state.place.position {
        state.place = first
      }
      try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer in
        while state.place.position < range.lowerBound {
          let count = Int(min(Int64(buffer.count), range.lowerBound - state.place.position))
          _ = try read(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), &state.place)
        }
      }
      state.start = state.place
      report(&state)
    }
  }

  func rewind() throws {
    state.withLock { state in
      state.place = state.start
      report(&state)
    }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    try state.withLock { state in
      let count = Int(min(Int64(buffer.count), state.end - state.place.position))
      do {
        let done = try read(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), &state.place)
        report(&state)
        return done
      } catch {
        state.failure = error
        throw error
      }
    }
  }

  /// From now on the bytes are hashed, from the first one on, because whoever got them says that they are wrong.
  func doubt() {
    guard isProved else { return }
    state.withLock { state in
      guard state.start.hasher == nil else { return }
      state.start = first
      state.place = first
      report(&state)
    }
  }

  /// Takes back what was reported, because nothing came of it.
  func discard() {
    state.withLock { state in
      state.start = first
      state.place = first
      report(&state)
    }
  }

  private func report(_ state: inout State) {
    let change = state.place.position - state.reported
    state.reported = state.place.position
    if change != 0 { onProgress(change) }
  }

  private func read(_ buffer: UnsafeMutableRawBufferPointer, _ place: inout Place) throws -> Int {
    if buffer.isEmpty { return 0 }
    do {
      guard try place.stream.read(into: buffer) == buffer.count else {
        throw StoredStreamError.damaged("the file ends too early")
      }
    } catch let error as StoredStreamError {
      throw error.naming(archive)
    }
    place.hasher?.update(UnsafeRawBufferPointer(buffer))
    place.position += Int64(buffer.count)
    if place.position == descriptor.size, let hasher = place.hasher {
      let actual = hasher.finalize()
      guard actual == descriptor.digest else {
        throw ImageArchiveError.damaged(archive, blob: descriptor.digest, actual: actual)
      }
    }
    return buffer.count
  }
}

extension StoredStreamError {
  /// The same for people.
  func naming(_ archive: FilePath) -> ImageArchiveError {
    switch self {
    case .notStored: .unusable(archive, reason: "its compression changes in the middle")
    case .damaged(let reason): .unusable(archive, reason: "it is damaged, \(reason)")
    }
  }
}
