import Integrity

/// The name of a cache entry: a digest of all that it is made of.
public struct CacheKey: Sendable, CustomStringConvertible {
  private var text = ""

  /// - Parameter parts: What the entry depends on, each under a name of its own, in a fixed order.
  public init(_ parts: KeyValuePairs<String, String>) {
    for (label, value) in parts { add(label, value) }
  }

  /// Adds something that the entry depends on.
  public mutating func add(_ label: String, _ value: String) {
    // With lengths, so that no two lists of parts make the same text.
    text += "\(label.utf8.count) \(label) \(value.utf8.count) \(value)\n"
  }

  /// 32 hexadecimal digits: half a SHA-256, and short enough for a name.
  public var description: String { String(Digest(of: Array(text.utf8)).hex.prefix(32)) }
}
