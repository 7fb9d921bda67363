import Integrity

/// Why a transfer did not succeed, said for people.
public struct TransferError: Error, Sendable, CustomStringConvertible {
  /// What went wrong, for callers that branch on it.
  public enum Kind: Sendable, Hashable {
    /// The text is no URL this engine can ask.
    case badURL
    /// The host's name is not known.
    case nameNotResolved
    /// No connection, or it broke.
    case connection
    /// Nothing arrived for too long.
    case stalled
    /// The server's certificate was not accepted, or TLS failed.
    case tls
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

  /// The error for an answer that is no success.
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

  /// Whether bytes at hand cannot be gone on from after this error.
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

  /// What was asked, what went wrong, and what to do next.
  public var description: String {
    let tries = attempts > 1 ? " after \(attempts) attempts" : ""
    return "\(url): \(detail)\(tries). \(advice)"
  }

  /// What to do next.
  public var advice: String {
    switch kind {
    case .badURL: "Correct the address."
    case .nameNotResolved: "Check the name, DNS, and whether a proxy is needed (https_proxy)."
    case .connection, .stalled:
      "Check the network, firewall and proxy, then run the same command again; it resumes."
    case .tls: "If a company proxy re-signs TLS, name its CA file in SSL_CERT_FILE; check the clock."
    case .status(401): "The server wants credentials: put them in ~/.netrc."
    case .status(403): "The server refuses: check credentials, proxy rules and rate limits."
    case .status(404), .status(410): "Check the version; the file may have been removed upstream."
    case .status(429), .waitTooLong:
      "The server limits requests: wait, lower transfer.per_host, or use a mirror (mirrors:)."
    case .status: "Try again later, or use a mirror (mirrors:)."
    case .redirect: "Check the address, or use a mirror (mirrors:)."
    case .digestMismatch, .sizeMismatch:
      "A proxy may have changed it, or upstream replaced the file; do not use it before you know why."
    case .protocolViolation: "Try again, or use a mirror (mirrors:)."
    case .tooLarge: "This is not the expected answer; check the address."
    case .file: "Check free space and permissions of the folder."
    case .source: "Check the file that was to be sent."
    case .notAuthorized: "Check the credentials."
    case .cancelled: "Run the same command again; it resumes."
    }
  }
}
