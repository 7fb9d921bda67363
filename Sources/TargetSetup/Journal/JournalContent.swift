import FoundationEssentials
import Integrity

/// What was read of a journal, and where its next line goes.
///
/// Beside the journal lies a copy of the lines that were written last, which was there first. A journal whose end was cut
/// off goes on from it: what these lines announce may have happened.
struct JournalContent: Sendable {
  /// Something that no crash leaves behind.
  struct Damage: Error {
    /// Whether it is in the copy of the last lines.
    var isInCopy = false
    /// The line, counted from 1; `nil` when it is not about one.
    var line: Int?
    let reason: String
  }

  /// The first line; empty when there is none yet, or the lines are of format 1.
  private(set) var head: [UInt8] = []
  /// All lines.
  private(set) var entries: [JournalEntry] = []
  /// The checksum of the last line.
  private(set) var checksum = ""
  /// How many bytes of the file count.
  private(set) var length = 0
  /// What is to be written there before anything else: lines that were announced and did not get into the file.
  private(set) var missing: [UInt8] = []

  /// Nothing.
  init() {}

  /// Whether the lines are of format 1: the file is written in the new format when one is added.
  var isOld: Bool { head.isEmpty && !entries.isEmpty }

  /// Whether all of it was taken back, and only the files are left.
  var isClosed: Bool { entries.last?.kind == .end }

  /// Puts a journal together.
  ///
  /// - Parameters:
  ///   - journal: The bytes of the file; `nil` when there is none.
  ///   - copy: Those of the copy of its last lines.
  /// - Throws: ``Damage``.
  init(journal: [UInt8]?, copy: [UInt8]?) throws(Damage) {
    let bytes = journal ?? []
    if bytes.contains(newline), let first = bytes.split(separator: newline, maxSplits: 1).first,
      Self.isOldLine(first)
    {
      // A copy beside it is of lines that were to be written in the new format and were not.
      self = try Self.old(bytes)
      return
    }
    var own = try Self.complete(bytes)
    guard let copy else {
      guard own.content.isClosed || own.content.head.isEmpty else {
        throw Damage(isInCopy: true, reason: "it is missing")
      }
      // Without a copy nothing was ever announced.
      self = own.content
      return
    }
    let last = try Self.copy(copy)
    guard own.content.head.isEmpty || own.content.head == last.head else {
      throw Damage(isInCopy: true, line: 1, reason: "it belongs to another journal")
    }
    let before = last.number - 1
    guard journal != nil || before == 0 else { throw Damage(reason: "it is missing") }
    guard own.ends.count > before else {
      throw Damage(
        line: own.ends.count + 1, reason: "it is missing, and there were at least \(before) below the first")
    }
    // Without a head there is no line either, so the copy starts with it.
    let start = last.number == 1 ? 0 : own.ends[before]
    let wanted = (last.number == 1 ? last.head + [newline] : []) + last.lines
    let found = bytes[start...]
    if wanted.starts(with: found) {
      try own.content.replace(after: before, with: last)
      own.content.missing = Array(wanted[found.count...])
      own.content.length = bytes.count
    } else if found.starts(with: wanted), !found.dropFirst(wanted.count).contains(newline) {
      // Somebody began a line that was not announced.
      own.content.length = start + wanted.count
    } else if bytes.last == newline {
      throw Damage(isInCopy: true, reason: "its lines are not the last ones of the journal")
    } else {
      throw Damage(
        line: own.ends.last == 0 ? 1 : own.ends.count + 1, reason: "it is not the line that was written last")
    }
    self = own.content
  }

  // MARK: Adding

  /// What a journal gets when lines are added to it.
  struct Addition {
    /// What the content is then.
    var content: JournalContent
    /// The lines.
    var lines: [UInt8] = []
    /// The copy of them, with the head.
    var copy: [UInt8] = []
    /// All of the file, when it must be written anew.
    var whole: [UInt8]?
  }

  /// Adds lines; nothing must be missing.
  ///
  /// - Throws: What the encoder throws.
  func adding(_ new: [JournalEntry]) throws -> Addition {
    var result = JournalContent()
    result.head = head.isEmpty ? try JournalLine.Head.new() : head
    result.checksum = head.isEmpty ? JournalLine.checksum(ofHead: result.head) : checksum
    result.length = length
    result.entries = isOld ? [] : entries
    var whole = head.isEmpty ? result.head + [newline] : []
    if isOld { whole += try result.append(entries) }
    let lines = try result.append(new)
    let copy = result.head + [newline] + lines
    guard isOld else {
      result.length = length + whole.count + lines.count
      return Addition(content: result, lines: whole + lines, copy: copy)
    }
    result.length = whole.count + lines.count
    return Addition(content: result, copy: copy, whole: whole + lines)
  }

  /// Says that what was missing is in the file now.
  mutating func complete() {
    length += missing.count
    missing = []
  }

  private mutating func append(_ new: [JournalEntry]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for entry in new {
      entries.append(entry)
      let line = try JournalLine.encode(entry, number: entries.count, after: checksum)
      checksum = line.checksum
      bytes += line.bytes + [newline]
    }
    return bytes
  }

  // MARK: Reading

  /// The complete lines of a file, and where each ends: first the head, then the lines.
  private static func complete(_ bytes: [UInt8]) throws(Damage) -> (content: JournalContent, ends: [Int]) {
    var content = JournalContent()
    var ends: [Int] = []
    var rest = bytes[...]
    while let end = rest.firstIndex(of: newline) {
      let line = rest[..<end]
      rest = rest[(end + 1)...]
      if ends.isEmpty {
        content.head = Array(try head(line))
        content.checksum = JournalLine.checksum(ofHead: line)
      } else {
        do {
          let read = try JournalLine.decode(line, number: ends.count, after: content.checksum)
          content.entries.append(read.entry)
          content.checksum = read.checksum
        } catch {
          throw Damage(line: ends.count + 1, reason: error.reason)
        }
      }
      ends.append(end + 1)
    }
    content.length = ends.last ?? 0
    // The place before the first line is known even where there is no line.
    return (content, ends.isEmpty ? [0] : ends)
  }

  private static func head(_ line: ArraySlice<UInt8>) throws(Damage) -> ArraySlice<UInt8> {
    guard let head = try? JSONDecoder().decode(JournalLine.Head.self, from: Data(line)) else {
      throw Damage(line: 1, reason: "it is not the first line of a journal")
    }
    guard head.format == JournalLine.Head.current else {
      throw Damage(line: 1, reason: "it is of format \(head.format), which this program does not know")
    }
    return line
  }

  /// The lines that were written last.
  private struct Last {
    let head: [UInt8]
    /// The number of the first of them.
    let number: Int
    let lines: [UInt8]
  }

  private static func copy(_ bytes: [UInt8]) throws(Damage) -> Last {
    struct Number: Decodable { var number: Int }
    let lines = bytes.split(separator: newline, omittingEmptySubsequences: false)
    guard lines.count > 2, lines.last?.isEmpty == true else {
      throw Damage(isInCopy: true, reason: "it is not complete")
    }
    do {
      _ = try head(lines[0])
    } catch {
      throw Damage(isInCopy: true, line: 1, reason: error.reason)
    }
    guard let number = (try? JSONDecoder().decode(Number.self, from: Data(lines[1])))?.number, number > 0,
      number < 1 << 40
    else { throw Damage(isInCopy: true, line: 2, reason: "it is not a line of a journal") }
    return Last(
      head: Array(lines[0]), number: number, lines: Array(bytes[(lines[0].count + 1)...]))
  }

  /// Takes the last lines from their copy, whose first must follow a line of ours.
  private mutating func replace(after count: Int, with last: Last) throws(Damage) {
    let lines = last.lines.split(separator: newline)
    var checksum = JournalLine.checksum(ofHead: last.head)
    if entries.count == count, count > 0 { checksum = self.checksum }
    let isChained = count == 0 || entries.count == count
    entries.removeLast(entries.count - count)
    for (index, line) in lines.enumerated() {
      do {
        // Where the file has the first of them itself, what is before it was proved with that.
        let previous = index == 0 && !isChained ? nil : checksum
        let read = try JournalLine.decode(line, number: count + index + 1, after: previous)
        entries.append(read.entry)
        checksum = read.checksum
      } catch {
        throw Damage(isInCopy: true, line: index + 2, reason: error.reason)
      }
    }
    head = last.head
    self.checksum = checksum
  }

  // MARK: Format 1

  private static func isOldLine(_ line: ArraySlice<UInt8>) -> Bool {
    (try? JSONDecoder().decode(JournalEntry.self, from: Data(line))) != nil || isCut(line)
  }

  /// Whether a line of format 1 is the beginning of one: it has no end of an object.
  private static func isCut(_ line: ArraySlice<UInt8>) -> Bool {
    line.first == UInt8(ascii: "{") && !line.contains(UInt8(ascii: "}"))
      && !line.starts(with: Array(#"{"format"#.utf8))
  }

  /// Reads lines that have neither numbers nor checksums.
  ///
  /// Whoever wrote them went on after a line that was cut off in a line of its own, and wrote an empty line before each
  /// of all others.
  private static func old(_ bytes: [UInt8]) throws(Damage) -> JournalContent {
    var content = JournalContent()
    let lines = bytes.split(separator: newline, omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() where !line.isEmpty {
      if let entry = try? JSONDecoder().decode(JournalEntry.self, from: Data(line)) {
        content.entries.append(entry)
        continue
      }
      let isLast = index == lines.count - 1
      guard isCut(line), isLast || !lines[index + 1].isEmpty else {
        throw Damage(line: index + 1, reason: "it is not a line of a journal")
      }
    }
    return content
  }
}

private let newline = UInt8(ascii: "\n")
