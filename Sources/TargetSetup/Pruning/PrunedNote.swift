import Files
import SystemPackage

/// A line of a journal that tells what was pruned of the work of its step.
public struct PrunedNote: Sendable, Equatable, Encodable {
  /// When (ISO 8601, UTC).
  public let time: String
  /// The kubespray version that it was of; empty for what was of none.
  public let release: String
  /// How many bytes the disk was to get back.
  public let bytes: Int64
  /// A path of the host, or words.
  public let what: String

  init(time: String, release: String, bytes: Int64, what: String) {
    (self.time, self.release, self.bytes, self.what) = (time, release, bytes, what)
  }

  /// The value of the line.
  var value: String { "\(time)\t\(release)\t\(bytes)\t\(what)" }

  /// What a line tells; `nil` for another line.
  init?(_ entry: JournalEntry) {
    guard entry.kind == .note, entry.path == NoteKind.pruned.rawValue, let value = entry.value else {
      return nil
    }
    self.init(value)
  }

  /// Reads the value of a line.
  init?(_ value: String) {
    let parts = value.split(separator: "\t", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 4, let bytes = Int64(parts[2]) else { return nil }
    self.init(time: parts[0], release: parts[1], bytes: bytes, what: parts[3])
  }

  /// The folder that it tells of, if it tells of one.
  var folder: FilePath? { what.hasPrefix("/") ? FilePath(what) : nil }

  /// What the journals of a host tell, oldest first, each thing once.
  ///
  /// - Throws: ``StepError`` when a journal cannot be read.
  static func all(_ context: SetupContext) throws(StepError) -> [PrunedNote] {
    var found: [PrunedNote] = []
    for step in [StepName.nginx, .loadPush, .extract, .ansible] {
      for note in try context.journal(step).notes(.pruned).compactMap({ PrunedNote($0) })
      where !found.contains(where: { $0.time == note.time && $0.what == note.what }) {
        found.append(note)
      }
    }
    return found.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(
      \.element)
  }
}
