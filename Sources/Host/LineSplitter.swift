/// Cuts a stream of bytes into lines of text as they become complete.
///
/// A carriage return ends a line too: that is how tools redraw their progress. Empty lines are dropped,
/// and a line without end is cut at 64 KiB, so memory stays bounded whatever a program writes.
struct LineSplitter {
  private static let longestLine = 64 << 10
  private var pending: [UInt8] = []

  /// Takes in more bytes and hands each finished line to `onLine`.
  mutating func append(_ bytes: UnsafeRawBufferPointer, onLine: (String) -> Void) {
    for byte in bytes {
      if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
        flush(onLine)
      } else {
        pending.append(byte)
        if pending.count >= Self.longestLine { flush(onLine) }
      }
    }
  }

  /// Hands out what is left when the stream has ended.
  mutating func flush(_ onLine: (String) -> Void) {
    guard !pending.isEmpty else { return }
    onLine(String(decoding: pending, as: UTF8.self))
    pending.removeAll(keepingCapacity: true)
  }
}
