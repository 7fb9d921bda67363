import Transfer

/// Why a file did not get into a store.
struct StoreError: Error {
  /// The cause and what to do.
  let text: String
  /// Whether every other file would fail the same way.
  var isFatal = false

  /// A problem with one file.
  init(text: String, isFatal: Bool = false) {
    self.text = text
    self.isFatal = isFatal
  }

  /// The store could not be asked.
  init(_ error: TransferError, _ address: StoreAddress) {
    switch error.kind {
    case .connection, .stalled, .nameNotResolved, .tls, .redirect, .notAuthorized: isFatal = true
    default: isFatal = false
    }
    let tries = error.attempts > 1 ? " after \(error.attempts) attempts" : ""
    let advice =
      switch error.kind {
      case .tls: "If its certificate is of a company's own authority: --ca-file FILE; check the clock."
      case .status(507): "Make room in the store."
      case .status, .waitTooLong:
        "Ask who runs the store, then give the same command again; what is there is not sent again."
      default: error.advice
      }
    text = "\(address.base.origin): \(error.detail)\(tries). \(advice)"
  }

  /// The store does not take a file.
  init(_ response: HTTPResponse, _ doing: String, _ address: StoreAddress, hasCredential: Bool) {
    let status = response.head.status
    isFatal = [401, 404, 405, 501, 507].contains(status)
    let advice =
      switch status {
      case 401 where hasCredential: "The user or the token is wrong: check USERNAME and TOKEN, or ~/.netrc."
      case 401: "It wants to know who asks: set USERNAME and TOKEN, or put them in ~/.netrc."
      case 403:
        "The user may not write there: for Artifactory it needs Deploy, and Delete/Overwrite for files that differ."
      case 404: "There is no such place: check the address, and that the repository exists."
      case 400, 409, 422: "The store found the content or the place wrong."
      case 405, 501: "It takes no uploads at that address: check the address, or allow PUT."
      case 413: "It takes no such large files: raise its limit (nginx: client_max_body_size)."
      case 507: "Make room in the store."
      default: "Ask who runs the store."
      }
    let words = Self.words(response)
    text =
      "\(address.base.origin) answered \(status) when \(doing)\(words.isEmpty ? "" : " (\(words))"). \(advice)"
  }

  /// The start of what the store said, in one line; pages for browsers say nothing here.
  private static func words(_ response: HTTPResponse) -> String {
    let type = response.head.fields["Content-Type"] ?? ""
    guard !type.contains("html") else { return "" }
    let text = String(decoding: response.body.prefix(300), as: UTF8.self)
    return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
