import CCurl
import Integrity

/// Header fields in the order they came; names compare without case (RFC 9110, section 5.1).
public struct HTTPFields: Sendable, ExpressibleByDictionaryLiteral {
  private var fields: [(name: String, value: String)] = []

  /// No fields.
  public init() {}

  /// Fields by name.
  public init(dictionaryLiteral elements: (String, String)...) {
    fields = elements.map { (name: $0.0, value: $0.1) }
  }

  /// The first field of that name; setting replaces all of that name, `nil` removes them.
  public subscript(name: String) -> String? {
    get { fields.first { Self.isSame($0.name, name) }?.value }
    set {
      fields.removeAll { Self.isSame($0.name, name) }
      if let newValue { fields.append((name, newValue)) }
    }
  }

  /// Every field of that name.
  public func all(_ name: String) -> [String] {
    fields.filter { Self.isSame($0.name, name) }.map(\.value)
  }

  /// Whether two names are one. They are ASCII (RFC 9110, section 5.6.2), and looked for in every answer.
  private static func isSame(_ left: String, _ right: String) -> Bool {
    func lowered(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte | 0x20 : byte }
    return left.utf8.count == right.utf8.count
      && zip(left.utf8, right.utf8).allSatisfy { lowered($0) == lowered($1) }
  }

  /// Takes over fields; each replaces those of its name.
  mutating func merge(_ other: HTTPFields) {
    for field in other.fields { self[field.name] = nil }
    fields += other.fields
  }

  /// `Name: value` lines as libcurl takes them.
  var lines: [String] { fields.map { "\($0.name): \($0.value)" } }

  /// Takes in one line of a response; lines without a colon are passed over.
  mutating func append(line: String) {
    guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { return }
    let value = line[line.utf8.index(after: colon)...]
    fields.append((String(line[..<colon]), trimmed(value)))
  }
}

/// What a server answered before the body.
public struct ResponseHead: Sendable {
  /// The status code.
  public var status: Int
  /// The header fields.
  public var fields: HTTPFields
  /// Who answered: after a redirect another one than was asked.
  public var origin: TransferURL.Origin?
  /// The address that was answered, after redirects.
  public var url: TransferURL?

  /// Whether the status says success (2xx).
  public var isSuccess: Bool { (200..<300).contains(status) }

  /// The size of the whole representation in bytes, if the server gave it.
  public var totalSize: Int64? {
    if status == 206 { return contentRange?.total }
    // That of an encoded answer is not the file's.
    guard ["identity", nil].contains(fields["Content-Encoding"]?.lowercased()) else { return nil }
    return fields["Content-Length"].flatMap(ByteSize.parse)
  }

  /// `Content-Range`, if present and well-formed.
  var contentRange: ContentRange? { fields["Content-Range"].flatMap(ContentRange.init) }

  /// The validator for `If-Range`: a strong entity tag, else the date (RFC 9110, section 13.1.5).
  var rangeValidator: String? {
    if let tag = fields["ETag"], !tag.hasPrefix("W/") { return tag }
    return fields["Last-Modified"]
  }

  /// How long the server asks to wait: `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
  ///
  /// - Parameter now: The present time in seconds since 1970.
  public func retryAfter(now: Int64) -> Duration? {
    guard let text = fields["Retry-After"], !text.isEmpty else { return nil }
    // A date is one of the server's clock, which may be ahead of this machine's.
    let now = fields["Date"].flatMap(Self.date) ?? now
    if let seconds = Double(text) {
      guard seconds >= 0, seconds < 1e11 else { return nil }
      let whole = Int64(seconds.rounded(.up))
      // Docker Hub, among others, writes a date as seconds since 1970.
      return .seconds(whole < 1_000_000_000 ? whole : max(0, whole - now))
    }
    return Self.date(text).map { .seconds(max(0, $0 - now)) }
  }

  private static func date(_ text: String) -> Int64? {
    let date = Int64(curl_getdate(text, nil))
    return date < 0 ? nil : date
  }
}

/// The field `Content-Range: bytes FIRST-LAST/TOTAL` (RFC 9110, section 14.4).
struct ContentRange: Equatable {
  let first: Int64
  let last: Int64
  /// The size of the whole; `nil` where the server wrote `*`.
  let total: Int64?

  /// How many bytes it has.
  var count: Int64 { last - first + 1 }

  init?(_ text: String) {
    guard text.lowercased().hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let bounds = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard bounds.count == 2, let first = ByteSize.parse(trimmed(bounds[0])),
      let last = ByteSize.parse(trimmed(bounds[1])), last >= first
    else { return nil }
    self.first = first
    self.last = last
    let total = trimmed(parts[1])
    if total == "*" {
      self.total = nil
    } else if let number = ByteSize.parse(total), number > last {
      self.total = number
    } else {
      return nil
    }
  }
}

/// A text without the white space around it.
func trimmed(_ text: some StringProtocol) -> String {
  // Mostly there is nothing but ASCII, of which nothing is to be looked up.
  func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
  let bytes = text.utf8.drop(while: isBlank)
  var (end, last) = (bytes.startIndex, UInt8(0))
  for index in bytes.indices where !isBlank(bytes[index]) {
    (end, last) = (bytes.index(after: index), bytes[index])
  }
  var rest = text[bytes.startIndex..<end]
  guard let first = rest.utf8.first, first >= 0x80 || last >= 0x80 else { return String(rest) }
  while let first = rest.first, first.isWhitespace { rest.removeFirst() }
  while let last = rest.last, last.isWhitespace { rest.removeLast() }
  return String(rest)
}
