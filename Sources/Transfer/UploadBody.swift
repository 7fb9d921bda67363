/// A request's body that is read while it is sent.
///
/// Called on the engine's thread, one call at a time: be quick.
public protocol UploadBody: AnyObject, Sendable {
  /// How many bytes it has.
  var size: Int64 { get }

  /// Goes to the first byte. Called before each attempt's first ``read(into:)``.
  ///
  /// - Throws: Any error; the request then fails with kind ``TransferError/Kind/source`` and is not repeated.
  func rewind() throws

  /// Puts the next bytes into the buffer.
  ///
  /// - Returns: How many; 0 only at the end.
  /// - Throws: Any error, as ``rewind()``. The server then never gets the whole body.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// What libcurl knows of a body while it sends it. Lives on the engine's thread only.
struct UploadState {
  let body: any UploadBody
  private var hasStarted = false
  private(set) var failure: (any Error)?

  init(_ body: any UploadBody) { self.body = body }

  /// The answer of a `CURLOPT_READFUNCTION`.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    do {
      if !hasStarted { try body.rewind() }
      hasStarted = true
      return try body.read(into: buffer)
    } catch {
      failure = error
      return nil
    }
  }

  /// Whether the body can be sent again from that byte.
  mutating func seek(to offset: Int64) -> Bool {
    hasStarted = false
    return offset == 0
  }
}
