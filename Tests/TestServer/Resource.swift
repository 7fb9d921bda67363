extension TestServer {
  /// A file as a good server would serve it: ranges, validators, and a password if wanted.
  ///
  /// Source: RFC 9110, sections 13 (If-Range) and 14 (ranges). One range a request; several are answered whole.
  public struct Resource: Sendable {
    /// How range requests are answered.
    public enum RangeSupport: Sendable, Equatable {
      /// 206 with the bytes asked for.
      case supported
      /// 200 with the whole, as if there were no Range header.
      case ignored
      /// 206 with the bytes asked for, while Content-Range claims that they begin so many bytes further on.
      case misreported(by: Int64)
    }

    /// The content.
    public var body: Body
    /// The ETag with its quotes, nil for none.
    public var entityTag: String?
    /// The Last-Modified date, nil for none; see ``TestServer/Response/httpDate(_:)``.
    public var lastModified: String?
    /// How range requests are answered.
    public var ranges: RangeSupport
    /// The Authorization value without which the answer is 401, such as `Basic dXNlcjpwYXNz`.
    public var requiredAuthorization: String?

    /// A resource.
    public init(
      _ body: Body, entityTag: String? = nil, lastModified: String? = nil,
      ranges: RangeSupport = .supported, requiredAuthorization: String? = nil
    ) {
      self.body = body
      self.entityTag = entityTag
      self.lastModified = lastModified
      self.ranges = ranges
      self.requiredAuthorization = requiredAuthorization
    }

    /// The right answer to a GET or HEAD request.
    public func response(to request: Request) -> Response {
      if let requiredAuthorization, request[header: "Authorization"] != requiredAuthorization {
        return Response(401, headers: [("WWW-Authenticate", "Basic realm=\"test\"")])
      }
      var headers: [(name: String, value: String)] = []
      if let entityTag { headers.append(("ETag", entityTag)) }
      if let lastModified { headers.append(("Last-Modified", lastModified)) }
      if ranges != .ignored { headers.append(("Accept-Ranges", "bytes")) }
      guard let asked = range(askedBy: request) else { return Response(200, headers: headers, body: body) }
      guard !asked.isEmpty else {
        return Response(416, headers: headers + [("Content-Range", "bytes */\(body.count)")])
      }
      var shift: Int64 = 0
      if case .misreported(let by) = ranges { shift = by }
      let claim = "bytes \(asked.lowerBound + shift)-\(asked.upperBound - 1 + shift)/\(body.count)"
      return Response(206, headers: headers + [("Content-Range", claim)], body: body[asked])
    }

    /// The range to send, empty when it cannot be satisfied; nil for the whole.
    private func range(askedBy request: Request) -> Range<Int64>? {
      guard ranges != .ignored, let header = request.range, header.hasPrefix("bytes=") else { return nil }
      if let condition = request[header: "If-Range"], condition != entityTag, condition != lastModified {
        return nil
      }
      let bounds = header.dropFirst("bytes=".count)
        .split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
      guard bounds.count == 2 else { return nil }
      switch (bounds[0], bounds[1]) {
      case (let first?, let last):
        return first..<max(first, min(last.map { $0 + 1 } ?? body.count, body.count))
      case (nil, let suffix?): return max(0, body.count - suffix)..<body.count
      case (nil, nil): return nil
      }
    }
  }
}
