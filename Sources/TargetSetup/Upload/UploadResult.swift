import Console

/// What became of a file.
public struct UploadResult: Sendable, Encodable {
  /// How it ended.
  public enum Outcome: String, Sendable, Encodable {
    /// It was sent, and is there now.
    case sent
    /// Another content was there; now it is this one.
    case replaced
    /// The store had the content already and made the file of it; nothing was sent.
    case linked = "made of what the store has"
    /// It was there already.
    case present = "was there"
    /// It would be sent.
    case wouldSend = "to send"
    /// It would be sent, in place of another content.
    case wouldReplace = "to replace"
    /// It is not there; the detail says why.
    case failed
    /// It was not tried, because no file can be sent; the detail says why.
    case notTried = "not tried"
  }

  /// The path below the folder.
  public let path: String
  /// The address in the store, without credentials.
  let url: String
  /// The size in bytes.
  public let size: Int64
  /// How it ended.
  public let outcome: Outcome
  /// Bytes of content that were sent.
  public let sent: Int64
  /// By what it is known to be there, or why it is not.
  public let detail: String
  /// Why it is not there, in its parts.
  public var problem: Problem?

  /// Whether the file is not in the store as it should be.
  public var isFailure: Bool { outcome == .failed || outcome == .notTried }
}
