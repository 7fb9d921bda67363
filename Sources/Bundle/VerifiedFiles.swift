import Files
import FoundationEssentials
import Integrity
import Synchronization
import SystemPackage

/// What this machine remembers of files it has verified, so that a rerun asks `stat` instead of reading them.
///
/// A file counts as known while its size and modification time are those of the moment it was verified. The
/// memory is a file of JSON lines in the cache folder; lines are appended as files are finished, so a kill loses
/// at most the line being written. Losing all of it costs reading the files once, nothing more.
public final class VerifiedFiles: Sendable {
  /// The name of the memory in the cache folder.
  public static let fileName = "verified-files.jsonl"

  /// What is known of one file.
  public struct Entry: Sendable, Codable, Equatable {
    /// Its absolute path.
    public var path: String
    /// The stage that wanted it.
    public var stage: StageName
    /// Its size in bytes.
    public var size: Int64
    /// Its modification time in nanoseconds since 1970.
    public var modified: Int64
    /// Its digest.
    public var sha256: Digest
    /// The digest that it was checked against, where that is of another algorithm.
    public var checked: Digest?
    /// Where it came from.
    public var url: String?
    /// The server's validator, for asking whether it changed.
    public var validator: String?
  }

  private struct State: Sendable {
    var entries: [String: Entry] = [:]
    /// What was forgotten, so that it does not come back from the disk.
    var forgotten: Set<String> = []
    var lines = 0
    /// Whether the last line on the disk was cut off: the next one must not continue it.
    var endsWithinLine = false
  }

  private let path: FilePath
  private let state = Mutex(State())

  /// Opens the memory; lines that do not parse are forgotten.
  public init(_ path: FilePath) {
    self.path = path
    state.withLock { state in
      let (entries, lines, endsWithinLine) = Self.read(path)
      state.entries = entries
      state.lines = lines
      state.endsWithinLine = endsWithinLine
    }
  }

  private static func read(_ path: FilePath) -> (entries: [String: Entry], lines: Int, endsWithinLine: Bool) {
    let bytes = (try? readBytes(path)) ?? []
    let decoder = JSONDecoder()
    var entries: [String: Entry] = [:]
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    for line in lines {
      guard let entry = try? decoder.decode(Entry.self, from: Data(line)) else { continue }
      entries[entry.path] = entry
    }
    return (entries, lines.count, bytes.last.map { $0 != UInt8(ascii: "\n") } ?? false)
  }

  /// What is known of the file at that path, if it is still the file that was verified.
  public func entry(for path: FilePath) -> Entry? {
    guard let entry = state.withLock({ $0.entries[Self.key(path)] }),
      let status = FileInfo(regularFile: path),
      status.size == entry.size, status.modified == entry.modified
    else { return nil }
    return entry
  }

  /// What is known of the file at that path, whatever has become of it since.
  public func remembered(_ path: FilePath) -> Entry? { state.withLock { $0.entries[Self.key(path)] } }

  /// What was recorded below a folder, by path relative to it, whether or not the files are still there.
  public func recorded(below folder: FilePath) -> [(path: String, stage: StageName)] {
    let prefix = Self.key(folder) + "/"
    return state.withLock { state in
      state.entries.values.filter { $0.path.hasPrefix(prefix) }
        .map { (path: String($0.path.dropFirst(prefix.count)), stage: $0.stage) }
    }
  }

  /// Remembers a file that was just verified.
  public func record(
    _ path: FilePath, stage: StageName, sha256: Digest, checked: Digest? = nil, url: String? = nil,
    validator: String? = nil
  ) {
    guard let status = FileInfo(regularFile: path) else { return }
    let entry = Entry(
      path: Self.key(path), stage: stage, size: status.size, modified: status.modified, sha256: sha256,
      checked: checked, url: url,
      validator: validator)
    state.withLock { state in
      state.entries[entry.path] = entry
      state.forgotten.remove(entry.path)
      append(entry, afterCutLine: state.endsWithinLine)
      state.endsWithinLine = false
      state.lines += 1
    }
  }

  /// Forgets a file; takes effect on the disk at the next ``compact()``.
  public func forget(_ path: FilePath) {
    state.withLock { state in
      state.entries[Self.key(path)] = nil
      state.forgotten.insert(Self.key(path))
    }
  }

  /// Rewrites the memory when it has stale lines.
  public func compact() {
    state.withLock { state in
      guard state.lines > state.entries.count else { return }
      // What runs for other bundles with the same cache have appended meanwhile stays.
      for (key, entry) in Self.read(path).entries where !state.forgotten.contains(key) {
        if state.entries[key] == nil { state.entries[key] = entry }
      }
      let lines = state.entries.values.sorted { $0.path < $1.path }.compactMap(Self.line)
      // A memory that cannot be written costs reading files again, and is no reason to fail.
      try? writeAtomically(lines.flatMap { $0 }, to: path)
      state.lines = state.entries.count
      state.endsWithinLine = false
    }
  }

  /// The absolute path: the memory outlives the folder in which a command was typed.
  private static func key(_ path: FilePath) -> String {
    ((try? currentFolder())?.pushing(path) ?? path).lexicallyNormalized().string
  }

  private func append(_ entry: Entry, afterCutLine: Bool) {
    guard let line = Self.line(entry),
      let descriptor = try? openFile(
        path, .writeOnly, options: [.create, .append, .noFollow], permissions: .publicFile)
    else { return }
    _ = try? descriptor.writeAll((afterCutLine ? [UInt8(ascii: "\n")] : []) + line)
    try? descriptor.close()
  }

  private static func line(_ entry: Entry) -> [UInt8]? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(entry)).map { Array($0) + [UInt8(ascii: "\n")] }
  }
}
