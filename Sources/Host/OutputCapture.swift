import Subprocess

/// What a command wrote.
struct CapturedOutputs: Sendable {
  var output: [UInt8]
  var error: [UInt8]

  /// Calls `onLine` for each line of both.
  func lines(_ onLine: (String) -> Void) {
    for bytes in [output, error] {
      var lines = LineSplitter()
      bytes.withUnsafeBytes { lines.append($0, onLine: onLine) }
      lines.flush(onLine)
    }
  }
}

/// A command wrote more than was allowed.
struct OutputLimitReached: Error {}

/// Reads both outputs of a command to their ends, side by side so that neither pipe fills up.
///
/// - Throws: ``OutputLimitReached``, or `CancellationError` when the task was cancelled while reading.
func capture(
  _ output: SubprocessOutputSequence, _ error: SubprocessOutputSequence, limit: Int,
  onLine: (@Sendable (String) -> Void)?
) async throws -> CapturedOutputs {
  var captured = CapturedOutputs(output: [], error: [])
  // The first failure must end the other reader too: the program may be waiting for either of them.
  try await withThrowingTaskGroup(
    of: (any WritableKeyPath<CapturedOutputs, [UInt8]> & Sendable, [UInt8]).self
  ) {
    group in
    group.addTask { (\.output, try await capture(output, limit: limit, onLine: onLine)) }
    group.addTask { (\.error, try await capture(error, limit: limit, onLine: onLine)) }
    for try await (stream, bytes) in group { captured[keyPath: stream] = bytes }
  }
  // A cancelled read looks like the end of the stream.
  try Task.checkCancellation()
  return captured
}

private func capture(
  _ stream: SubprocessOutputSequence, limit: Int, onLine: (@Sendable (String) -> Void)?
) async throws -> [UInt8] {
  var bytes: [UInt8] = []
  var lines = LineSplitter()
  for try await buffer in stream {
    guard bytes.count + buffer.count <= limit else { throw OutputLimitReached() }
    buffer.withUnsafeBytes { piece in
      bytes.append(contentsOf: piece)
      if let onLine { lines.append(piece, onLine: onLine) }
    }
  }
  if let onLine { lines.flush(onLine) }
  return bytes
}
