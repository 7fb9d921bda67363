import FoundationEssentials

/// The explanation that a registry, or something before it, sends with a refusal (OCI distribution-spec, "Error Codes").
struct RegistryErrorBody: Equatable {
  /// The code of the first error, such as `MANIFEST_UNKNOWN`.
  var code: String?
  /// Its message; of a web page the title.
  var message: String?
  /// Whether it is a page for people: whoever answers is a proxy, a firewall or a login page, and no registry.
  var isWebPage = false

  private struct Document: Decodable {
    struct Entry: Decodable {
      let code: Words?
      let message: Words?
    }
    let errors: [Entry]?
    let message: Words?
    let details: Words?
    let error: Words?
  }

  /// What stands where words are expected: a text, a number, or an object with a message of its own.
  private struct Words: Decodable {
    private struct Nested: Decodable { let message: String? }

    let text: String?

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let text = try? value.decode(String.self) {
        self.text = text
      } else if let number = try? value.decode(Int.self) {
        text = "\(number)"
      } else {
        text = (try? value.decode(Nested.self))?.message
      }
    }
  }

  /// Reads the body of an answer; one that is none of these explains nothing.
  init(_ body: [UInt8]) {
    if ManifestContent.isWebPage(body) {
      isWebPage = true
      message = Self.title(body).flatMap { Self.printable($0, limit: 100) }
      return
    }
    guard let document = try? JSONDecoder().decode(Document.self, from: Data(body)) else { return }
    let first = document.errors?.first
    code = first?.code?.text.flatMap { Self.printable($0, limit: 60) }
    // Artifactory, GitLab, token services and gateways have one text and no list.
    let texts = first.map { [$0.message] } ?? [document.message, document.details, document.error]
    message = texts.lazy.compactMap { $0?.text }.first.flatMap { Self.printable($0, limit: 200) }
  }

  /// The status and the code, as they stand in a sentence: `(404 MANIFEST_UNKNOWN)`.
  func reason(_ status: Int) -> String { "(\(status)\(code.map { " \($0)" } ?? ""))" }

  /// The message behind a colon, or nothing.
  var words: String {
    guard isWebPage else { return message.map { ": \($0)" } ?? "" }
    return ": a web page" + (message.map { ", \($0.debugDescription)" } ?? "")
  }

  /// What stands between the tags of a page's title.
  private static func title(_ page: [UInt8]) -> String? {
    let page = page.prefix(1 << 14)
    let name = Array("<title".utf8)
    guard
      let start = page.indices.first(where: { place in
        page[place] == name[0]
          && page[place...].prefix(name.count).map { $0 | 0x20 } == name.map { $0 | 0x20 }
      }),
      let open = page[start...].firstIndex(of: UInt8(ascii: ">")),
      let end = page[open...].firstIndex(of: UInt8(ascii: "<"))
    else { return nil }
    let title = String(decoding: page[open...].dropFirst()[..<end], as: UTF8.self)
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return title.isEmpty ? nil : title
  }

  /// Text of a stranger, fit for one line of a terminal; `nil` when nothing is left.
  private static func printable(_ text: String, limit: Int) -> String? {
    let line = String(
      String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }))
    let kept = line.prefix(limit)
    return kept.isEmpty ? nil : String(kept)
  }
}
