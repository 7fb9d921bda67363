/// A request that the web server or the registry has answered, as its log tells it.
struct ServedRequest: Sendable, Hashable {
  /// Who asked.
  let client: String
  /// The path, with the query.
  let path: String
  /// The status of the answer.
  let status: Int

  /// Reads a line of a log: client, anything, the request in quotes, the status. Both servers write such lines (nginx's
  /// `log_format` in nginx.conf, and the combined format of the registry); `nil` for any other line.
  init?(line: some StringProtocol) {
    let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
    guard parts.count >= 3 else { return nil }
    let request = parts[1].split(separator: " ")
    guard request.count == 3, request[1].hasPrefix("/"), request[2].hasPrefix("HTTP/"),
      let client = parts[0].split(separator: " ").first,
      let status = parts[2].split(separator: " ").first.flatMap({ Int($0) }), (100..<600).contains(status)
    else { return nil }
    self.client = String(client)
    path = String(request[1])
    self.status = status
  }

  init(client: String, path: String, status: Int) {
    self.client = client
    self.path = path
    self.status = status
  }
}
