import Integrity

/// One line of a journal: a change that is about to be made, or a note of a step.
struct JournalEntry: Sendable, Codable, Equatable {
  enum Kind: String, Sendable, Codable {
    /// A file or link is written.
    case file
    /// What lies at the path is moved into the backup.
    case aside
    /// A folder is made.
    case folder
    /// A folder with all its content takes its place; `list` names what is in it.
    case tree
    /// What is not there yet belongs to a service that the step starts, with all that it puts there.
    case owned
    /// Something that is not a file; `path` is its ``NoteKind``.
    case note
    /// Everything before was taken back; what is left of the journal and its backups can go.
    case end
  }

  var kind: Kind
  /// The path on the host; of a note, its kind.
  var path: String
  /// The name below the backup folder of what was there before; `nil` when there was nothing.
  var backup: String?
  /// What is written: the digest of a file's content.
  var sha256: Digest?
  /// What is written: the target of a link.
  var link: String?
  /// The name below the backup folder of the list of a tree's content.
  var list: String?
  /// The text of a note.
  var value: String?

  init(_ kind: Kind, _ path: String) {
    self.kind = kind
    self.path = path
  }

  /// A note.
  init(_ note: NoteKind, _ value: String) {
    self.init(.note, note.rawValue)
    self.value = value
  }

  /// Whether something of the host is changed after it.
  var announcesChange: Bool {
    switch kind {
    case .file, .aside, .folder, .tree: true
    case .owned, .end: false
    case .note: NoteKind(rawValue: path)?.announcesChange ?? false
    }
  }
}

/// One file or link of a tree, as its list tells it.
struct TreeItem: Sendable, Codable, Equatable {
  /// The path below the tree.
  var path: String
  /// The digest of a file.
  var sha256: Digest?
  /// The target of a link.
  var link: String?
}
