import Transfer

/// Why a file did not get into a store.
struct StoreError: Error, CustomStringConvertible {
  /// What went wrong, for the advice.
  enum Kind: Sendable {
    /// The store could not be asked.
    case transfer(TransferError.Kind)
    /// The store answered with a status that is not a success.
    case refused(Int, hasCredential: Bool)
    /// The store redirects to another address.
    case moved(to: String)
    /// The file cannot be read.
    case unreadable
    /// The store took the file and does not have it.
    case notKept
    /// The store took the file and has another content.
    case changed
  }

  let kind: Kind
  /// What went wrong.
  let detail: String
  /// Whether every other file would fail the same way.
  var isFatal = false

  var description: String { detail }

  /// A problem with one file.
  init(_ kind: Kind, _ detail: String, isFatal: Bool = false) {
    self.kind = kind
    self.detail = detail
    self.isFatal = isFatal
  }

  /// The store could not be asked.
  init(_ error: TransferError, _ address: StoreAddress) {
    self.init(.transfer(error.kind), "\(address.base.origin): \(error.reason)")
    switch error.kind {
    case .connection, .stalled, .nameNotResolved, .tls, .plainHTTP, .redirect, .notAuthorized: isFatal = true
    default: isFatal = false
    }
  }

  /// The store does not take a file.
  init(_ response: HTTPResponse, _ doing: String, _ address: StoreAddress, hasCredential: Bool) {
    let status = response.head.status
    let words = Self.words(response)
    self.init(
      .refused(status, hasCredential: hasCredential),
      "\(address.base.origin) answered \(status) when \(doing)\(words.isEmpty ? "" : " (\(words))")",
      isFatal: [401, 404, 405, 501, 507].contains(status))
  }

  /// The start of what the store said, in one line; pages for browsers say nothing here.
  private static func words(_ response: HTTPResponse) -> String {
    let type = response.head.fields["Content-Type"] ?? ""
    guard !type.contains("html") else { return "" }
    let text = String(decoding: response.body.prefix(300), as: UTF8.self)
    return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
