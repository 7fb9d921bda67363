import FoundationEssentials
import Integrity

/// One line of a journal as it stands in the file: `{"number":3,"checksum":"…","entry":{…}}`.
///
/// The checksum is the SHA-256 of the checksum of the line before, the number, and the entry as it stands there, with a
/// space between. The first line follows the checksum of the head, which is the SHA-256 of its bytes. So no line can be
/// changed, removed, doubled or moved without being noticed.
enum JournalLine {
  /// The first line of a file.
  struct Head: Codable {
    /// The newest format, which is the one that is written. Format 1 had neither head nor numbers.
    static let current = 2

    /// The format of the lines.
    var format: Int
    /// Tells this journal from every other, so that no line of another one fits.
    var id: String

    /// A new one as it stands in the file.
    static func new() throws -> [UInt8] {
      let id = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
      return try JournalLine.encode(Head(format: current, id: id))
    }
  }

  /// The parts of a line.
  private struct Line: Decodable {
    let number: Int
    let checksum: String
    let entry: JournalEntry
  }

  /// What is wrong with a line.
  struct Fault: Error {
    let reason: String
  }

  /// The checksum that the first line follows.
  static func checksum(ofHead head: some Collection<UInt8>) -> String { Digest(of: Array(head)).hex }

  /// A line without its end.
  ///
  /// - Throws: What the encoder throws, which is never for these types.
  static func encode(_ entry: JournalEntry, number: Int, after previous: String) throws -> (
    bytes: [UInt8], checksum: String
  ) {
    let text = try encode(entry)
    let checksum = checksum(text, number, previous)
    return (start(number, checksum) + text + [UInt8(ascii: "}")], checksum)
  }

  /// Reads a line.
  ///
  /// - Parameter previous: The checksum of the line before; `nil` when that is proved elsewhere.
  /// - Throws: ``Fault``.
  static func decode(_ line: some Collection<UInt8>, number: Int, after previous: String?) throws(Fault) -> (
    entry: JournalEntry, checksum: String
  ) {
    guard let read = try? JSONDecoder().decode(Line.self, from: Data(line)) else {
      throw Fault(reason: "it is not a line of a journal")
    }
    guard read.number == number else {
      throw Fault(reason: "it has the number \(read.number) where \(number) was expected")
    }
    // What is hashed is what stands there, and not what a decoder makes of it.
    let start = start(number, read.checksum)
    guard line.starts(with: start), line.suffix(1).elementsEqual([UInt8(ascii: "}")]) else {
      throw Fault(reason: "it is not written as a line of a journal is")
    }
    let text = line.dropFirst(start.count).dropLast()
    guard let previous else { return (read.entry, read.checksum) }
    guard checksum(text, number, previous) == read.checksum else {
      throw Fault(reason: "its checksum is wrong")
    }
    return (read.entry, read.checksum)
  }

  private static func start(_ number: Int, _ checksum: String) -> [UInt8] {
    Array(#"{"number":\#(number),"checksum":"\#(checksum)","entry":"#.utf8)
  }

  private static func checksum(_ text: some Collection<UInt8>, _ number: Int, _ previous: String) -> String {
    Digest(of: Array("\(previous) \(number) ".utf8) + Array(text)).hex
  }

  private static func encode(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value))
  }
}
