import Integrity

/// What an answer with content must be to be taken: one rule for a whole file and for the rest of one, whether or not a
/// digest proves the bytes afterwards.
struct ContentExpectation: Sendable {
  /// Whom it is asked of, for errors.
  let url: String
  /// The first byte that was asked for; 0 asks for the whole.
  var offset: Int64 = 0
  /// The end of what was asked for, where it is not that of the whole.
  var end: Int64?
  /// The entity tag or date of the bytes at hand (RFC 9110, section 13.1.5).
  var validator: String?
  /// How many bytes the whole must have, by everybody who has said it.
  var sizes: [Int64] = []
  /// Whether a digest will show every wrong byte.
  var isProved = false

  /// Holds the head of an answer 200 or 206 against it.
  ///
  /// - Returns: The size of the whole, where the answer tells it.
  /// - Throws: ``TransferError`` of kind `protocolViolation` or `sizeMismatch`.
  func check(_ head: ResponseHead) throws(TransferError) -> Int64? {
    try checkEncoding(head)
    var length: Int64?
    if let text = head.fields["Content-Length"] {
      guard let number = ByteSize.parse(text) else { throw bad("the server reports an impossible length") }
      length = number
    }
    let total = head.status == 206 ? try checkPart(head, length: length) : length
    guard let total else { return nil }
    let isPage = head.fields["Content-Type"]?.lowercased().hasPrefix("text/html") ?? false
    for size in sizes where size != total {
      throw mismatch(expected: size, actual: total, type: isPage ? "text/html" : nil)
    }
    return total
  }

  /// Makes sure that the bytes are those of the file: an encoding is for those who ask for it (RFC 9110, section 12.5.3).
  ///
  /// - Throws: ``TransferError`` of kind `protocolViolation`.
  func checkEncoding(_ head: ResponseHead) throws(TransferError) {
    let encodings = head.fields.all("Content-Encoding").flatMap { $0.split(separator: ",") }
      .map { trimmed($0).lowercased() }.filter { !$0.isEmpty && $0 != "identity" }
    guard let encoding = encodings.first else { return }
    // Some servers derive it from the name and send the file as it is (Apache's AddEncoding); the digest then decides.
    let path = url.prefix { $0 != "?" && $0 != "#" }
    let isOfTheName =
      ["gzip", "x-gzip"].contains(encoding) && (path.hasSuffix(".gz") || path.hasSuffix(".tgz"))
    guard isProved, isOfTheName, encodings.count == 1 else {
      throw bad("the content arrived encoded (\(encoding.prefix(40))), which was not asked for")
    }
  }

  /// The error of a file that has another size than somebody said.
  ///
  /// - Parameter type: What the server says that came, where that tells more.
  func mismatch(expected: Int64, actual: Int64, type: String? = nil) -> TransferError {
    TransferError(
      .sizeMismatch(expected: expected, actual: actual), url: url,
      detail: "\(actual) bytes\(type.map { " of \($0)" } ?? "") arrived where \(expected) were expected")
  }

  /// Whether a part is the rest of the file that was asked for, to its last byte.
  private func checkPart(_ head: ResponseHead, length: Int64?) throws(TransferError) -> Int64 {
    guard offset > 0 || end != nil else { throw bad("the server sent a part where the whole was asked for") }
    guard let range = head.contentRange, range.first == offset else {
      throw bad("the server answered with another range than the one asked for")
    }
    guard let total = range.total ?? sizes.first, range.last == (end ?? total) - 1, range.last < total else {
      throw bad("the server sent less than the rest of the file")
    }
    guard length ?? range.count == range.count else {
      throw bad("the length of the part that the server sent is not that of its range")
    }
    guard isOfTheSameFile(head) else { throw bad("the file on the server is another one than before") }
    return total
  }

  /// Whether the part belongs to the bytes at hand. A server must repeat the strong tag (RFC 9110, section 15.3.7); a date
  /// it may leave out.
  private func isOfTheSameFile(_ head: ResponseHead) -> Bool {
    guard let validator else { return true }
    if validator.hasPrefix("\"") { return head.fields["ETag"] == validator }
    return head.fields["Last-Modified"] ?? validator == validator
  }

  private func bad(_ detail: String) -> TransferError {
    TransferError(.protocolViolation, url: url, detail: detail)
  }
}
