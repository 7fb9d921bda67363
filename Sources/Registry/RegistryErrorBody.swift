import FoundationEssentials

/// The explanation that a registry sends with a refusal (OCI distribution-spec, "Error Codes").
struct RegistryErrorBody: Equatable {
  /// The code of the first error, such as `MANIFEST_UNKNOWN`.
  var code: String?
  /// Its message.
  var message: String?

  private struct Document: Decodable {
    struct Entry: Decodable {
      let code: String?
      let message: String?
    }
    let errors: [Entry]
  }

  /// Reads the body of an answer; one that is not such a document explains nothing.
  init(_ body: [UInt8]) {
    guard let document = try? JSONDecoder().decode(Document.self, from: Data(body)),
      let first = document.errors.first
    else { return }
    code = first.code.flatMap { Self.printable($0, limit: 60) }
    message = first.message.flatMap { Self.printable($0, limit: 200) }
  }

  /// The status and the code, as they stand in a sentence: `(404 MANIFEST_UNKNOWN)`.
  func reason(_ status: Int) -> String { "(\(status)\(code.map { " \($0)" } ?? ""))" }

  /// The message behind a colon, or nothing.
  var words: String { message.map { ": \($0)" } ?? "" }

  /// Text of a stranger, fit for one line of a terminal; `nil` when nothing is left.
  private static func printable(_ text: String, limit: Int) -> String? {
    let line = String(
      String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }))
    let kept = line.prefix(limit)
    return kept.isEmpty ? nil : String(kept)
  }
}
