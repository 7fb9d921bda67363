import SystemPackage

/// A manifest that cannot be used.
public struct ManifestError: Error, CustomStringConvertible {
  /// What went wrong.
  public enum Kind: Sendable {
    /// It cannot be read or written.
    case inaccessible
    /// Another version of this program wrote it.
    case otherFormat
    /// It is not a manifest.
    case malformed
  }

  /// What went wrong, for callers that branch on it.
  public let kind: Kind
  /// The file.
  public let path: FilePath
  /// What is wrong.
  public let reason: String

  init(path: FilePath, reason: String, kind: Kind = .inaccessible) {
    self.kind = kind
    self.path = path
    self.reason = reason
  }

  /// The file and what is wrong with it.
  public var description: String { "\(path): \(reason)" }
}
