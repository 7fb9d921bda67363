import CCurl

extension TransferEngine {
  /// Asks about a file without fetching it: HEAD, or a request for its first byte where HEAD is not allowed.
  ///
  /// - Throws: ``TransferError``, also for every status that is not a success.
  public func probe(_ url: String) async throws(TransferError) -> RemoteFile {
    var question = HTTPRequest("HEAD", url: url)
    // Many are asked before the first download: a host that is not there must not hold up the answer for minutes.
    question.retries = min(1, retries)
    var head = try await response(to: question).head
    // Signed URLs of object stores are often valid for GET alone.
    if [403, 405, 501].contains(head.status) {
      var request = HTTPRequest(url: url, fields: ["Range": "bytes=0-0"])
      request.bodyLimit = 1
      request.retries = question.retries
      do throws(TransferError) {
        head = try await response(to: request).head
      } catch {
        // A server that ignores the range sends the whole file, which is refused; HEAD's answer stands then.
        guard case .tooLarge = error.kind else { throw error }
      }
    }
    guard head.isSuccess else {
      throw .status(head.status, url: try TransferURL(url).redacted, body: [])
    }
    let date = head.fields["Date"].map { Int64(curl_getdate($0, nil)) }
    return RemoteFile(size: head.totalSize, serverTime: date.flatMap { $0 < 0 ? nil : $0 })
  }
}
