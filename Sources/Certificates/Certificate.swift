import CCrypto

/// A certificate: its text, and what it says.
public struct Certificate: Sendable, Equatable {
  /// The text in the form PEM that it was read from, with the others of its chain.
  public let pem: [UInt8]
  /// The addresses and names that it is for, as the library writes them.
  public let names: [String]
  /// Until when it holds, in seconds since 1970.
  public let end: Int64
  /// The SHA-256 of its bytes, as pairs of hexadecimal digits with colons between them.
  public let fingerprint: String

  /// Reads the first certificate of a text in the form PEM.
  ///
  /// - Throws: ``CertificateError``.
  public init(pem: [UInt8]) throws(CertificateError) {
    guard let first = Parsed.certificates(pem).first else { throw .noCertificate }
    self.pem = pem
    names = Self.names(first)
    end = Self.end(first)
    fingerprint = Self.fingerprint(first)
  }

  /// The name under which OpenSSL looks for it in a folder of authorities, without the number behind it: eight hexadecimal
  /// digits (openssl-rehash(1)).
  public var subjectHash: String {
    guard let certificate = Parsed.certificates(pem).first else { return "" }
    let text = String(X509_subject_name_hash(certificate.pointer) & 0xffff_ffff, radix: 16)
    return String(repeating: "0", count: 8 - text.count) + text
  }

  /// Whether it is for an address or name.
  public func isFor(_ host: String) -> Bool {
    guard let certificate = Parsed.certificates(pem).first else { return false }
    // For a text that is not an address the library answers less than 0.
    if X509_check_ip_asc(certificate.pointer, host, 0) == 1 { return true }
    return X509_check_host(certificate.pointer, host, 0, 0, nil) == 1
  }

  /// Whether this private key, in the form PEM, is that of the certificate.
  public func fits(key: [UInt8]) -> Bool {
    guard let certificate = Parsed.certificates(pem).first, let key = Parsed.key(key) else { return false }
    defer { ERR_clear_error() }
    return X509_check_private_key(certificate.pointer, key.pointer) == 1
  }

  /// Finds what would keep a client from believing a server with this certificate.
  ///
  /// - Parameters:
  ///   - key: The server's private key, in the form PEM.
  ///   - authority: The certificates that clients are given, in the form PEM.
  ///   - host: The address or name by which clients know the server.
  ///   - time: Now, in seconds since 1970.
  /// - Throws: ``CertificateError``.
  public func check(key: [UInt8], authority: [UInt8], host: String, time: Int64) throws(CertificateError) {
    guard Parsed.key(key) != nil else { throw .noKey }
    guard fits(key: key) else { throw .otherKey }
    guard time < end else { throw .ended(end) }
    guard isFor(host) else { throw .notFor(host: host, names: names) }
    let chain = Parsed.certificates(pem)
    let authorities = Parsed.certificates(authority)
    guard !authorities.isEmpty else { throw .untrusted("it holds no certificate in the form PEM") }
    var chainPointers: [OpaquePointer?] = chain.map(\.pointer)
    var authorityPointers: [OpaquePointer?] = authorities.map(\.pointer)
    let result = withExtendedLifetime((chain, authorities)) {
      ko_verify(
        &chainPointers, Int32(chain.count), &authorityPointers, Int32(authorities.count), time)
    }
    ERR_clear_error()
    guard result == X509_V_OK else {
      throw .untrusted(String(cString: X509_verify_cert_error_string(Int(result))))
    }
  }

  private static func names(_ certificate: Parsed) -> [String] {
    let index = X509_get_ext_by_NID(certificate.pointer, NID_subject_alt_name, -1)
    guard index >= 0, let found = X509_get_ext(certificate.pointer, index),
      let bytes = try? Parsed.written({ X509V3_EXT_print($0, found, 0, 0) })
    else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: ",").map { part in
      let text = part.drop { $0 == " " }
      return String(text.firstIndex(of: ":").map { text[text.index(after: $0)...] } ?? text)
    }
  }

  private static func end(_ certificate: Parsed) -> Int64 {
    var parts = tm()
    guard ASN1_TIME_to_tm(X509_get0_notAfter(certificate.pointer), &parts) == 1 else { return 0 }
    return Int64(timegm(&parts))
  }

  private static func fingerprint(_ certificate: Parsed) -> String {
    var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    guard X509_digest(certificate.pointer, EVP_sha256(), &bytes, &count) == 1 else { return "" }
    return bytes.prefix(Int(count)).map { byte in
      let text = String(byte, radix: 16, uppercase: true)
      return text.count == 1 ? "0\(text)" : text
    }.joined(separator: ":")
  }
}
