import Files
import Integrity
import Synchronization
import SystemPackage
import Transfer

/// A file as the body of a request, read while it is sent. Its last byte is handed out only when all of them hash to
/// what is expected, so a damaged file never looks like an intact one in the store.
final class FileBody: UploadBody {
  private struct State {
    var descriptor: FileDescriptor?
    var position: Int64 = 0
    var hasher = DigestHasher(.sha256)
    /// How far it has been reported as sent.
    var reported: Int64 = 0
    var failure: StepError?
  }

  let size: Int64
  private let file: UploadFile
  private var place: FilePath { file.place }
  private let digest: Digest?
  private let state = Mutex(State())
  private let onProgress: @Sendable (Int64) -> Void

  /// - Parameter onProgress: Called with how many more bytes were read; a negative number when some are read again.
  init(_ file: UploadFile, onProgress: @escaping @Sendable (Int64) -> Void) {
    size = file.size
    self.file = file
    digest = file.digest
    self.onProgress = onProgress
  }

  deinit { state.withLock { _ = try? $0.descriptor?.close() } }

  /// Why the file could not be read.
  var failure: StepError? { state.withLock { $0.failure } }

  func rewind() throws {
    try state.withLock { state in
      state.position = 0
      state.hasher = DigestHasher(.sha256)
      report(&state)
      guard state.descriptor == nil else { return }
      do {
        state.descriptor = try file.open()
      } catch {
        throw fail(&state, "\(place) cannot be read: \(FileError.reason(error))", .medium)
      }
    }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    try state.withLock { state in
      let wanted = Int(min(Int64(buffer.count), size - state.position))
      guard wanted > 0 else { return 0 }
      let count: Int
      do {
        count =
          try state.descriptor?.read(
            fromAbsoluteOffset: state.position,
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
          ?? 0
      } catch {
        throw fail(&state, "\(place) cannot be read: \(FileError.reason(error))", .medium)
      }
      guard count > 0 else { throw fail(&state, "\(place) became shorter while it was sent", .resend) }
      state.position += Int64(count)
      if let digest {
        state.hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        if state.position == size, state.hasher.finalize() != digest {
          throw fail(
            &state, "\(place) is not what bundle.json says: it is damaged", .recopy)
        }
      }
      report(&state)
      return count
    }
  }

  /// Takes back what was reported, because nothing came of it.
  func discard() {
    state.withLock { state in
      state.position = 0
      report(&state)
    }
  }

  private func fail(_ state: inout State, _ text: String, _ kind: StepAdvice) -> StepError {
    let error = StepError(text, kind)
    state.failure = error
    return error
  }

  private func report(_ state: inout State) {
    let change = state.position - state.reported
    state.reported = state.position
    if change != 0 { onProgress(change) }
  }
}
