/// A request whose answer fits in memory.
public struct HTTPRequest: Sendable {
  /// The method.
  public var method: String
  /// Whom and what it asks.
  public var url: String
  /// Header fields; `Authorization` never leaves the origin of ``url``.
  public var fields: HTTPFields
  /// Sent as the body when present.
  public var body: [UInt8]?
  /// Sent as the body instead of ``body``, for what does not fit in memory.
  public var upload: (any UploadBody)?
  /// After how long without a byte the request counts as stalled; `nil` is the engine's own setting. A server
  /// may be busy for long with what it got.
  public var stallTimeout: Duration?
  /// The largest answer taken, in bytes.
  public var bodyLimit: Int
  /// How often a failed attempt is repeated; `nil` is the engine's own number.
  public var retries: Int?
  /// Statuses that the caller wants to see at once where the engine would wait and ask again.
  public var finalStatuses: Set<Int> = []
  /// Whether a redirect is followed; if not, it is the answer.
  public var followsRedirects = true

  /// A request without a body.
  public init(_ method: String = "GET", url: String, fields: HTTPFields = [:], bodyLimit: Int = 16 << 20) {
    self.method = method
    self.url = url
    self.fields = fields
    self.bodyLimit = bodyLimit
  }
}

/// A whole answer.
public struct HTTPResponse: Sendable {
  /// Status and fields.
  public let head: ResponseHead
  /// The body.
  public let body: [UInt8]
}

/// What a server says of a file without sending it.
public struct RemoteFile: Sendable {
  /// Its size in bytes, if the server gives it.
  public let size: Int64?
  /// The server's clock (`Date`), in seconds since 1970.
  public let serverTime: Int64?
}
