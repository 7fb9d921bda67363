import Files
import Glibc
import SystemPackage

/// The lists of packages that apt has fetched and verified: which packages there are, and what is said about each.
///
/// Only places are kept in memory, not the paragraphs: a release has 60 000 of them.
struct PackageLists: Sendable {
  /// What every paragraph is asked for at once.
  struct Entry: Sendable {
    let name: String
    /// The source package that it was built from.
    let source: String
    let isEssential: Bool
    /// Whether a usual installation has it: priority required, important or standard.
    let isBase: Bool
    fileprivate let file: Int
    fileprivate let offset: Int64
    fileprivate let count: Int
  }

  private let files: [FilePath]
  private let entries: [Entry]
  private let byName: [String: [Int]]
  private let bySource: [String: [Int]]

  /// Reads uncompressed lists.
  ///
  /// - Throws: `FileError` when one cannot be read.
  init(_ files: [FilePath]) throws {
    var entries: [Entry] = []
    for (number, file) in files.enumerated() { try Self.scan(file, number, &entries) }
    self.files = files
    self.entries = entries
    byName = Dictionary(grouping: entries.indices) { entries[$0].name }
    bySource = Dictionary(grouping: entries.indices) { entries[$0].source }
  }

  /// How many packages there are.
  var count: Int { byName.count }

  /// Whether a package of that name exists.
  func has(_ name: String) -> Bool { byName[name] != nil }

  /// The names of the packages that no system can be without.
  var essentialNames: Set<String> { Set(entries.lazy.filter(\.isEssential).map(\.name)) }

  /// The names of the packages of a usual installation, with their source packages.
  var base: [(name: String, source: String)] {
    entries.lazy.filter(\.isBase).map { ($0.name, $0.source) }
  }

  /// Everything the lists say about a package: a paragraph for each version and source.
  func paragraphs(of name: String) throws -> [DebianControl] { try read(byName[name] ?? []) }

  /// Everything the lists say about the packages built from a source package.
  func paragraphs(ofSource source: String) throws -> [DebianControl] { try read(bySource[source] ?? []) }

  private func read(_ indices: [Int]) throws -> [DebianControl] {
    try indices.map { index in
      let entry = entries[index]
      let file = files[entry.file]
      let descriptor = try openFile(file, .readOnly)
      return try descriptor.closeAfter {
        let bytes = try [UInt8](unsafeUninitializedCapacity: entry.count) { buffer, filled in
          filled = try FileError.naming(.read, file) {
            try descriptor.read(
              fromAbsoluteOffset: entry.offset, into: UnsafeMutableRawBufferPointer(buffer))
          }
        }
        guard bytes.count == entry.count else { throw FileError(.read, file, .ioError) }
        return DebianControl(String(decoding: bytes, as: UTF8.self))
      }
    }
  }

  // MARK: Scanning

  /// Goes through a list in pieces, so that it is never in memory as a whole.
  private static func scan(_ file: FilePath, _ number: Int, _ entries: inout [Entry]) throws {
    var rest: [UInt8] = []
    var position: Int64 = 0
    try readFile(file) { piece in
      rest.append(contentsOf: piece)
      let used = scan(rest, at: position, number, isLast: false, &entries)
      rest.removeFirst(used)
      position += Int64(used)
    }
    _ = scan(rest, at: position, number, isLast: true, &entries)
  }

  /// Takes the whole paragraphs at the start of the bytes; how many bytes they have.
  private static func scan(
    _ bytes: [UInt8], at position: Int64, _ file: Int, isLast: Bool, _ entries: inout [Entry]
  ) -> Int {
    bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      var start = 0
      var line = 0
      var paragraph = Paragraph()
      while line < buffer.count {
        let found = memchr(base + line, 0x0A, buffer.count - line)
        guard found != nil || isLast else { break }
        let end = found.map { UnsafeRawPointer($0) - base } ?? buffer.count
        if end == line {
          if let entry = paragraph.entry(file, position + Int64(start), line - start) {
            entries.append(entry)
          }
          paragraph = Paragraph()
          start = end + 1
        } else {
          paragraph.take(UnsafeRawBufferPointer(rebasing: buffer[line..<end]))
        }
        line = end + 1
      }
      guard isLast else { return start }
      if let entry = paragraph.entry(file, position + Int64(start), buffer.count - start) {
        entries.append(entry)
      }
      return buffer.count
    }
  }

  /// The fields that the scan looks at.
  private struct Paragraph {
    var name = ""
    var source = ""
    var isEssential = false
    var isBase = false

    mutating func take(_ line: UnsafeRawBufferPointer) {
      // A glance at the first letter passes over nine lines of ten.
      switch line[0] {
      case UInt8(ascii: "P"):
        if let value = value("Package: ", line) {
          name = value
        } else if let value = value("Priority: ", line) {
          isBase = ["required", "important", "standard"].contains(value)
        }
      case UInt8(ascii: "S"):
        // The version behind it, if the source has another: `Source: gcc-12 (12.2.0-14)`.
        if let value = value("Source: ", line) { source = String(value.prefix { $0 != " " }) }
      case UInt8(ascii: "E"):
        if let value = value("Essential: ", line) { isEssential = value == "yes" }
      default: break
      }
    }

    func entry(_ file: Int, _ offset: Int64, _ count: Int) -> Entry? {
      guard !name.isEmpty else { return nil }
      return Entry(
        name: name, source: source.isEmpty ? name : source, isEssential: isEssential, isBase: isBase,
        file: file, offset: offset, count: count)
    }

    private func value(_ key: StaticString, _ line: UnsafeRawBufferPointer) -> String? {
      let length = key.utf8CodeUnitCount
      guard line.count >= length, let base = line.baseAddress, memcmp(base, key.utf8Start, length) == 0
      else { return nil }
      return String(decoding: line[length...], as: UTF8.self)
    }
  }
}
