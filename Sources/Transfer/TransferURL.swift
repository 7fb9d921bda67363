import CCurl
import Files

/// A URL as libcurl understands it, so that what is checked here is what will be asked.
public struct TransferURL: Sendable, Hashable {
  /// The scheme, host and port that credentials belong to (RFC 6454).
  public struct Origin: Sendable, Hashable, CustomStringConvertible {
    /// `http` or `https`.
    public let scheme: String
    /// The host name in lower case.
    public let host: String
    /// The port, the scheme's own if the URL names none.
    public let port: Int

    /// Whether another origin of the same host is the same server: itself, or the step from http to https on the usual
    /// ports.
    func isServedWith(_ other: Origin) -> Bool {
      self == other || scheme == "http" && port == 80 && other.scheme == "https" && other.port == 443
    }

    /// `https://host`, with the port where it is not the scheme's own.
    public var description: String {
      let isDefault = port == (scheme == "https" ? 443 : 80)
      return isDefault ? "\(scheme)://\(host)" : "\(scheme)://\(host):\(port)"
    }
  }

  /// The URL as it is asked, credentials included.
  public let text: String
  /// Whom it asks.
  public let origin: Origin
  /// The URL without user and password, and without what may be secret in its query, for messages and records.
  public let redacted: String

  /// The path, with its escapes and without the query; `/` where there is none.
  public var path: String {
    let rest = redacted.unicodeScalars.dropFirst("\(origin.scheme)://".count).drop { $0 != "/" }
    return rest.isEmpty ? "/" : String(rest.prefix { $0 != "?" && $0 != "#" })
  }

  /// Parses an absolute `http` or `https` URL.
  ///
  /// - Throws: ``TransferError`` of kind `badURL`.
  public init(_ text: String) throws(TransferError) {
    guard let parsed = Self.parse(text) else {
      throw TransferError(.badURL, url: "the given URL", detail: "it is not an http or https URL")
    }
    self = parsed
  }

  /// The target of a redirect, relative to this URL; `nil` when it is not an http or https URL.
  public func resolving(_ location: String) -> TransferURL? {
    guard let handle = curl_url() else { return nil }
    defer { curl_url_cleanup(handle) }
    guard curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK,
      // A relative target keeps the credentials of the URL; they are dropped by origin where it is followed.
      curl_url_set(handle, CURLUPART_URL, location, UInt32(CURLU_URLENCODE)) == CURLUE_OK,
      let full = Self.part(handle, CURLUPART_URL)
    else { return nil }
    return Self.parse(full)
  }

  private init(text: String, origin: Origin, redacted: String) {
    self.text = text
    self.origin = origin
    self.redacted = redacted
  }

  private static func parse(_ text: String) -> TransferURL? {
    guard let handle = curl_url() else { return nil }
    defer { curl_url_cleanup(handle) }
    guard curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK,
      let scheme = part(handle, CURLUPART_SCHEME)?.lowercased(), ["http", "https"].contains(scheme),
      let host = part(handle, CURLUPART_HOST)?.lowercased(), !host.isEmpty,
      let port = part(handle, CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT)).flatMap({ Int($0) }),
      (1...65535).contains(port)
    else { return nil }
    // In a fragment it was meant to end a login, in whose password stands a bare #.
    if part(handle, CURLUPART_FRAGMENT)?.contains("@") == true { return nil }
    curl_url_set(handle, CURLUPART_USER, nil, 0)
    curl_url_set(handle, CURLUPART_PASSWORD, nil, 0)
    guard let redacted = part(handle, CURLUPART_URL) else { return nil }
    return TransferURL(
      text: text, origin: Origin(scheme: scheme, host: host, port: port),
      redacted: maskingQuerySecrets(in: redacted))
  }

  private static func part(_ handle: OpaquePointer, _ which: CURLUPart, _ flags: UInt32 = 0) -> String? {
    var value: UnsafeMutablePointer<CChar>?
    guard curl_url_get(handle, which, &value, flags) == CURLUE_OK, let value else { return nil }
    defer { curl_free(value) }
    return String(cString: value)
  }
}
