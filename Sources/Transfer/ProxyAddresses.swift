import CCurl
import Files

/// What must not be in a message: proxies and their passwords.
extension TransferConfiguration {
  /// The proxies that requests go through, and what they are for: those of this configuration, else those that libcurl
  /// takes from the environment (libcurl-env(3)).
  private var proxies: [(purpose: String, address: String)] {
    func variable(_ names: String...) -> String? {
      names.lazy.compactMap(Self.variable).first { !$0.isEmpty }
    }
    let all = variable("all_proxy", "ALL_PROXY")
    return [
      ("http", httpProxy ?? variable("http_proxy") ?? all),
      ("https", httpsProxy ?? variable("https_proxy", "HTTPS_PROXY") ?? all),
    ].compactMap { purpose, address in address.flatMap { $0.isEmpty ? nil : (purpose, $0) } }
  }

  private static func variable(_ name: String) -> String? {
    guard let value = curl_getenv(name) else { return nil }
    defer { curl_free(value) }
    return String(cString: value)
  }

  /// Makes sure that libcurl reads each proxy as it is meant: else a part of a password could be taken for a host, which is
  /// then looked up and named.
  ///
  /// - Throws: ``TransferError`` of kind `badURL`.
  func checkProxies() throws(TransferError) {
    for proxy in proxies where !Self.isReadable(proxy.address) {
      throw TransferError(
        .badURL, url: "the proxy for \(proxy.purpose) URLs",
        detail:
          "its address cannot be read; special characters of a name and a password must be percent-encoded, "
          + "such as %40 for @")
    }
  }

  private static func isReadable(_ address: String) -> Bool {
    let scalars = address.unicodeScalars
    guard !scalars.contains(where: { $0 == "\\" || $0.properties.isWhitespace }),
      scalars.count(where: { $0 == "@" }) < 2, let handle = curl_url()
    else { return false }
    defer { curl_url_cleanup(handle) }
    let flags = UInt32(CURLU_DEFAULT_SCHEME | CURLU_NON_SUPPORT_SCHEME)
    func part(_ which: CURLUPart) -> String? {
      var value: UnsafeMutablePointer<CChar>?
      guard curl_url_get(handle, which, &value, 0) == CURLUE_OK, let value else { return nil }
      defer { curl_free(value) }
      return String(cString: value)
    }
    guard curl_url_set(handle, CURLUPART_URL, address, flags) == CURLUE_OK,
      part(CURLUPART_HOST)?.isEmpty == false
    else { return false }
    return ["", "/"].contains(part(CURLUPART_PATH) ?? "") && part(CURLUPART_QUERY) == nil
      && part(CURLUPART_FRAGMENT) == nil
  }

  /// What libcurl says, without the credentials of the address that was asked and of the proxies.
  func withoutSecrets(_ text: String, asking url: TransferURL) -> String {
    var text = text
    for address in [url.text] + proxies.map(\.address) {
      guard let login = Self.login(of: address) else { continue }
      for secret in [login, login.split(separator: ":", maxSplits: 1).last.map(String.init) ?? ""]
      where secret.utf8.count > 2 {
        text = text.replacing(secret, with: "***")
      }
    }
    // Whatever else it quotes: up to the last @ of a word.
    return maskingQuerySecrets(
      in: text.split(separator: " ", omittingEmptySubsequences: false).map { word in
        guard let scheme = word.firstRange(of: "://"), let at = word.lastIndex(of: "@"),
          at > scheme.lowerBound
        else { return String(word) }
        return word[..<scheme.upperBound] + "***" + word[at...]
      }.joined(separator: " "))
  }

  /// `user:password`, as it is written.
  private static func login(of address: String) -> String? {
    let rest = address.firstRange(of: "://").map { address[$0.upperBound...] } ?? address[...]
    guard let at = rest.prefix(while: { $0 != "/" }).lastIndex(of: "@") else { return nil }
    return String(rest[..<at])
  }
}
