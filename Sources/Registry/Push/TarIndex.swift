import Integrity

/// Where the files of a tar lie, found by its headers alone: what is in the files is not read.
///
/// Knows ustar with the records `path` and `size` of pax (POSIX, "pax Interchange Format"), and GNU's long names; a tar
/// with anything else is left to libarchive.
struct TarIndex {
  struct File {
    /// At the file's first byte.
    let start: StoredStream
    let size: Int64
  }

  private(set) var files: [String: File] = [:]
  /// The targets of links, as they are written.
  private(set) var links: [String: Link] = [:]

  /// Where a link leads: a symbolic one from its own folder, a hard one from the top.
  struct Link {
    let target: String
    let isHard: Bool
  }

  /// Reads the headers.
  ///
  /// - Throws: ``StoredStreamError``, `FileError` or `CancellationError`.
  init(_ content: StoredStream) throws {
    var stream = content
    var long = Extension()
    while let header = try Self.header(&stream) {
      try Task.checkCancellation()
      guard let size = ByteSize.checked(try long.size ?? Self.number(header[124..<136])) else {
        throw StoredStreamError.damaged("a header has an impossible size")
      }
      let padded = (size + 511) / 512 * 512
      switch header[156] {
      case UInt8(ascii: "x"), UInt8(ascii: "L"):
        guard size <= 1 << 20 else { throw StoredStreamError.damaged("a header is too long") }
        var bytes = [UInt8](repeating: 0, count: Int(padded))
        let count = try bytes.withUnsafeMutableBytes { try stream.read(into: $0) }
        guard count == bytes.count else { throw StoredStreamError.damaged("the file ends too early") }
        try long.take(bytes[..<Int(size)], isPax: header[156] == UInt8(ascii: "x"))
        continue
      case UInt8(ascii: "0"), 0:
        files[Self.tidy(long.path ?? Self.name(header))] = File(start: stream, size: size)
      case UInt8(ascii: "1"), UInt8(ascii: "2"):
        links[Self.tidy(long.path ?? Self.name(header))] = Link(
          target: Self.text(header[157..<257]), isHard: header[156] == UInt8(ascii: "1"))
      case UInt8(ascii: "5"), UInt8(ascii: "g"): break
      default: throw StoredStreamError.notStored
      }
      long = Extension()
      try stream.skip(padded)
    }
  }

  /// What the entries before a file say of it.
  private struct Extension {
    var path: String?
    var size: Int64?

    mutating func take(_ bytes: ArraySlice<UInt8>, isPax: Bool) throws {
      guard isPax else {
        path = TarIndex.text(bytes)
        return
      }
      var rest = bytes
      // "LENGTH KEY=VALUE\n", the length being that of the whole record.
      while let blank = rest.firstIndex(of: UInt8(ascii: " ")) {
        guard let length = Int(String(decoding: rest[..<blank], as: UTF8.self)), length <= rest.count,
          rest.startIndex + length > blank + 1
        else { throw StoredStreamError.damaged("a header cannot be understood") }
        let record = rest[(blank + 1)..<(rest.startIndex + length - 1)]
        rest = rest[(rest.startIndex + length)...]
        guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { continue }
        let value = String(decoding: record[(equals + 1)...], as: UTF8.self)
        switch String(decoding: record[..<equals], as: UTF8.self) {
        case "path": path = value
        case "size":
          guard let number = ByteSize.parse(value) else {
            throw StoredStreamError.damaged("a header cannot be understood")
          }
          size = number
        case "linkpath": throw StoredStreamError.notStored
        case let key where key.hasPrefix("GNU.sparse"): throw StoredStreamError.notStored
        default: break
        }
      }
    }
  }

  /// The next header; `nil` at the end.
  private static func header(_ stream: inout StoredStream) throws -> [UInt8]? {
    var block = [UInt8](repeating: 0, count: 512)
    let count = try block.withUnsafeMutableBytes { try stream.read(into: $0) }
    if count == 0 || block.allSatisfy({ $0 == 0 }) { return nil }
    guard count == 512 else { throw StoredStreamError.damaged("the file ends too early") }
    // The sum is made with blanks in its own place.
    let sum = block.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int64(block[$1])) }
    guard try number(block[148..<156]) == sum else {
      throw StoredStreamError.damaged("a header's checksum is wrong")
    }
    return block
  }

  private static func number(_ field: ArraySlice<UInt8>) throws -> Int64 {
    if let first = field.first, first == 0x80 {
      // GNU's binary numbers; the first bytes of one that is ours to handle are zero.
      return field.dropFirst().suffix(7).reduce(0) { $0 << 8 | Int64($1) }
    }
    let digits = field.drop { $0 == 32 }.prefix { $0 != 32 && $0 != 0 }
    if digits.isEmpty { return 0 }
    guard let value = Int64(String(decoding: digits, as: UTF8.self), radix: 8), value >= 0 else {
      throw StoredStreamError.damaged("a header has a bad number")
    }
    return value
  }

  private static func name(_ header: [UInt8]) -> String {
    let prefix = header[257..<262].elementsEqual("ustar".utf8) ? text(header[345..<500]) : ""
    let name = text(header[0..<100])
    return prefix.isEmpty || header[262] != 0 ? name : "\(prefix)/\(name)"
  }

  private static func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func tidy(_ name: String) -> String {
    var rest = name[...]
    while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
    while rest.hasSuffix("/") { rest = rest.dropLast() }
    return String(rest)
  }
}
