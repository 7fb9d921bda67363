import Files
import FoundationEssentials
import Integrity

/// The files that a manifest lists, read straight from its text.
///
/// Foundation's decoder makes objects of a whole text before it gives any of it, ten times as many bytes. So the list, which
/// is nearly all of a manifest, is read here, and the decoder gets the rest of the text. This reader takes only what it
/// understands beyond doubt. Of anything else, mistakes above all, it makes nothing, and the decoder is asked about the whole
/// text: what is accepted, and what is said of what is not, is always the decoder's. A test compares the two.
struct ManifestEntries {
  private var bytes: [UInt8]
  private var position = 0
  /// The part of the list whose memory the system has back; `nil` where the text is kept.
  private var released: Range<Int>?
  private let decoder = JSONDecoder()
  private var stages = Recent<StageName>()
  private var verifications = Recent<Verification>()

  /// After how many bytes their memory is given back.
  private static let step = 4 << 20

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads the list of files.
  ///
  /// - Parameter bytes: What ``JSONSyntax`` has found right.
  /// - Returns: The files in the order of the text, and the text with an empty list in place of theirs; `nil` where the
  ///   decoder has to be asked about the whole text.
  static func read(_ bytes: [UInt8]) -> (files: [ManifestFile], rest: [UInt8])? {
    var reader = ManifestEntries(bytes)
    return reader.read()
  }

  /// Reads the list of files, and lets go of the text on the way: a list takes as much memory as its text.
  ///
  /// - Parameter bytes: What ``JSONSyntax`` has found right, and nobody else holds. It is gone afterwards.
  /// - Returns: As ``read(_:)``.
  static func read(taking bytes: inout [UInt8]) -> (files: [ManifestFile], rest: [UInt8])? {
    var reader = ManifestEntries(bytes)
    bytes = []
    reader.released = 0..<0
    return reader.read()
  }

  private mutating func read() -> (files: [ManifestFile], rest: [UInt8])? {
    guard passes(UInt8(ascii: "{")) else { return nil }
    while let key = key() {
      if isText(key, "files") {
        let start = position
        guard let files = files() else { return nil }
        return (files, bytes[..<start] + Array("[]".utf8) + bytes[position...])
      }
      guard skipValue(), passes(UInt8(ascii: ",")) else { return nil }
    }
    return nil
  }

  // MARK: Files

  private mutating func files() -> [ManifestFile]? {
    guard passes(UInt8(ascii: "[")) else { return nil }
    var files: [ManifestFile] = []
    if passes(UInt8(ascii: "]")) { return files }
    if released != nil { released = position..<position }
    repeat {
      guard let file = file() else { return nil }
      files.append(file)
      release()
    } while passes(UInt8(ascii: ","))
    return passes(UInt8(ascii: "]")) ? files : nil
  }

  /// Gives back the memory of what has been read of the list.
  private mutating func release() {
    guard let done = released, position - done.upperBound >= Self.step else { return }
    bytes.withUnsafeMutableBytes {
      giveBack(UnsafeMutableRawBufferPointer(rebasing: $0[done.upperBound..<position]))
    }
    released = done.lowerBound..<position
  }

  private struct Fields {
    var path: BundlePath?
    var size: Int64?
    var sha256: Digest?
    var url: String?
    var stage: StageName?
    var verification: Verification?
    var image: ManifestImage?
  }

  private mutating func file() -> ManifestFile? {
    guard passes(UInt8(ascii: "{")) else { return nil }
    var fields = Fields()
    repeat {
      guard let key = key(), value(of: key, &fields) else { return nil }
    } while passes(UInt8(ascii: ","))
    guard passes(UInt8(ascii: "}")), let path = fields.path, let size = fields.size,
      let sha256 = fields.sha256,
      let stage = fields.stage, let verification = fields.verification
    else { return nil }
    var file = ManifestFile(
      path: path, size: size, sha256: sha256, url: fields.url, stage: stage, verification: verification)
    file.image = fields.image
    return file
  }

  /// Reads the value of a key.
  ///
  /// - Returns: Whether it was understood.
  private mutating func value(of key: Range<Int>, _ fields: inout Fields) -> Bool {
    if isText(key, "path") {
      fields.path = text().flatMap { try? BundlePath($0) }
      return fields.path != nil
    }
    if isText(key, "size") {
      fields.size = number()
      return fields.size != nil
    }
    if isText(key, "sha256") {
      fields.sha256 = string().flatMap { Digest(sha256: bytes.span.extracting($0)) }
      return fields.sha256 != nil
    }
    if isText(key, "stage") {
      fields.stage = string().flatMap { stages.value(bytes[$0]) }
      return fields.stage != nil
    }
    if isText(key, "verification") {
      fields.verification = string().flatMap { verifications.value(bytes[$0]) }
      return fields.verification != nil
    }
    if isText(key, "url") {
      fields.url = isNull ? nil : text()
      return fields.url != nil || skipNull()
    }
    if isText(key, "image") {
      fields.image = isNull ? nil : image()
      return fields.image != nil || skipNull()
    }
    return skipValue()
  }

  private mutating func image() -> ManifestImage? {
    let start = position
    guard skipValue() else { return nil }
    return try? decoder.decode(ManifestImage.self, from: Data(bytes[start..<position]))
  }

  // MARK: JSON

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  /// Passes over a mark and the blanks around it, if it is there.
  private mutating func passes(_ mark: UInt8) -> Bool {
    skipBlanks()
    guard next == mark else { return false }
    position += 1
    skipBlanks()
    return true
  }

  /// Passes over a key and its colon; `nil` where there is none.
  private mutating func key() -> Range<Int>? {
    guard let key = string(), passes(UInt8(ascii: ":")) else { return nil }
    return key
  }

  private func isText(_ range: Range<Int>, _ text: StaticString) -> Bool {
    range.count == text.utf8CodeUnitCount && text.withUTF8Buffer { bytes[range].elementsEqual($0) }
  }

  /// Passes over a string and gives the place of what is between its quotation marks.
  private mutating func string() -> Range<Int>? {
    guard next == UInt8(ascii: "\"") else { return nil }
    var end = position + 1
    while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
      end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard end < bytes.count else { return nil }
    defer { position = end + 1 }
    return position + 1..<end
  }

  private mutating func text() -> String? {
    guard let range = string() else { return nil }
    guard !bytes[range].contains(UInt8(ascii: "\\")) else {
      return try? decoder.decode(String.self, from: Data(bytes[range.lowerBound - 1...range.upperBound]))
    }
    return String(decoding: bytes[range], as: UTF8.self)
  }

  /// A number without a sign, point or exponent, of as many digits as always fit.
  private mutating func number() -> Int64? {
    var number: Int64 = 0
    let start = position
    while let byte = next, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte, position - start < 18 {
      number = number * 10 + Int64(byte - UInt8(ascii: "0"))
      position += 1
    }
    let isWhole = next.map { [UInt8(ascii: ","), UInt8(ascii: "}"), 0x20, 0x0A, 0x0D, 0x09].contains($0) }
    return position > start && isWhole == true ? number : nil
  }

  private var isNull: Bool { next == UInt8(ascii: "n") }

  private mutating func skipNull() -> Bool { isNull && skipValue() }

  /// Passes over a value of any kind.
  private mutating func skipValue() -> Bool {
    var depth = 0
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        guard string() != nil else { return false }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard depth > 0 else { return true }
        depth -= 1
      case UInt8(ascii: ",") where depth == 0: return true
      default: break
      }
      position += 1
    }
    return depth == 0
  }
}

/// A value of few, of which mostly the one before comes again.
private struct Recent<Value: RawRepresentable> where Value.RawValue == String {
  private var last: (text: [UInt8], value: Value)?

  mutating func value(_ text: ArraySlice<UInt8>) -> Value? {
    if let last, text.elementsEqual(last.text) { return last.value }
    guard let value = Value(rawValue: String(decoding: text, as: UTF8.self)) else { return nil }
    last = (Array(text), value)
    return value
  }
}
