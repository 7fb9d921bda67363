import Integrity

/// Why a transfer did not succeed: a fact without advice.
public struct TransferError: Error, Sendable, CustomStringConvertible {
  /// What went wrong, for callers that branch on it.
  public enum Kind: Sendable, Hashable {
    /// The text is not a URL this engine can ask.
    case badURL
    /// The host's name is not known.
    case nameNotResolved
    /// No connection, or it broke.
    case connection
    /// Nothing arrived for too long.
    case stalled
    /// The server's certificate was not accepted, or TLS failed.
    case tls
    /// The server was asked over TLS and answered without.
    case plainHTTP
    /// An answer that is not a success; the number is the HTTP status.
    case status(Int)
    /// The server asks to wait longer than this program will.
    case waitTooLong
    /// A redirect that leads nowhere, in a circle, or from https to http.
    case redirect
    /// All bytes arrived, and they are not the ones expected.
    case digestMismatch(expected: Digest, actual: Digest)
    /// The server's size is not the expected one.
    case sizeMismatch(expected: Int64, actual: Int64)
    /// The server's answer contradicts itself or the request.
    case protocolViolation
    /// The answer is larger than the caller allows.
    case tooLarge
    /// The local disk refused.
    case file
    /// What was to be sent could not be read.
    case source
    /// The caller has nothing to prove who asks, or it was refused.
    case notAuthorized
    /// No network is asked, because the caller wants none.
    case offline
    /// The caller no longer wants it.
    case cancelled
  }

  /// What went wrong.
  public let kind: Kind
  /// Which URL was asked, without credentials.
  public let url: String
  /// The cause in a few words.
  public let detail: String
  /// How many requests were made.
  public var attempts: Int = 1
  /// The start of the server's error body, for protocols that explain themselves there.
  public var body: [UInt8] = []

  init(_ kind: Kind, url: String, detail: String) {
    self.kind = kind
    self.url = url
    self.detail = detail
  }

  /// The error for an answer that is not a success.
  static func status(_ code: Int, url: String, body: [UInt8]) -> TransferError {
    let meaning: [Int: String] = [
      401: "not authorized (401)", 403: "access refused (403)", 404: "not found (404)",
      407: "the proxy wants credentials (407)", 410: "gone (410)",
      416: "the range asked for does not exist (416)",
      429: "too many requests (429)", 500: "the server failed (500)", 502: "bad gateway (502)",
      503: "the server is unavailable (503)", 504: "gateway timeout (504)",
    ]
    var error = TransferError(.status(code), url: url, detail: meaning[code] ?? "HTTP status \(code)")
    error.body = body
    return error
  }

  /// Whether the bytes at hand cannot be resumed after this error.
  var voidsPart: Bool {
    switch kind {
    case .digestMismatch, .sizeMismatch, .protocolViolation, .status(416): true
    default: false
    }
  }

  /// Whether the same request may succeed a moment later.
  public var isTransient: Bool {
    switch kind {
    case .connection, .stalled, .protocolViolation, .digestMismatch, .sizeMismatch: true
    case .status(let code): [408, 416, 425, 429, 500, 502, 503, 504].contains(code)
    default: false
    }
  }

  /// The cause, and how often it was tried.
  public var reason: String { attempts > 1 ? "\(detail) after \(attempts) attempts" : detail }

  /// What was asked and what went wrong.
  public var description: String { "\(url): \(reason)" }
}

extension TransferError.Kind {
  /// A word for scripts, which stays the same from release to release.
  public var code: String {
    switch self {
    case .badURL: "bad-url"
    case .nameNotResolved: "name-not-resolved"
    case .connection: "connection"
    case .stalled: "stalled"
    case .tls: "tls"
    case .plainHTTP: "plain-http"
    case .status(401), .notAuthorized: "unauthorized"
    case .status(403): "denied"
    case .status(404), .status(410): "not-found"
    case .status(429), .waitTooLong: "rate-limited"
    case .status: "http-status"
    case .redirect: "redirect"
    case .digestMismatch: "digest-mismatch"
    case .sizeMismatch: "size-mismatch"
    case .protocolViolation: "bad-answer"
    case .tooLarge: "too-large"
    case .file: "file"
    case .source: "source"
    case .offline: "offline"
    case .cancelled: "interrupted"
    }
  }
}
