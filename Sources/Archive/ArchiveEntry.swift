/// One member of an archive, as its header describes it.
public struct ArchiveEntry: Sendable, Equatable {
  /// The name as stored, without a leading `./` and without a trailing `/`. Not to be trusted: it may be
  /// absolute or contain `..`; extraction refuses such names.
  public let path: String
  /// What it is.
  public let kind: Kind
  /// The size of its content in bytes; 0 for everything but files.
  public let size: Int64
  /// The permission bits of its mode, up to 0o7777.
  public let permissions: UInt16
  /// When it was last modified, in seconds since 1970.
  public let modified: Int64

  /// The kinds of members.
  public enum Kind: Sendable, Equatable {
    case file
    case directory
    /// Points to the text `target`, relative to the folder of the entry.
    case symbolicLink(target: String)
    /// Is a second name of the member `target`.
    case hardLink(target: String)
    /// A device node, a named pipe or a socket.
    case other
  }

  /// Makes an entry.
  public init(path: String, kind: Kind, size: Int64, permissions: UInt16, modified: Int64) {
    self.path = path
    self.kind = kind
    self.size = size
    self.permissions = permissions
    self.modified = modified
  }
}
