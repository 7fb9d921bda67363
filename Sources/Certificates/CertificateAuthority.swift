import CCrypto

/// A certificate in the form PEM with its private key.
public struct KeyPair: Sendable, Equatable {
  /// The certificate.
  public let certificate: [UInt8]
  /// The private key (PKCS #8), without a password.
  public let key: [UInt8]

  /// A pair that was read.
  public init(certificate: [UInt8], key: [UInt8]) {
    self.certificate = certificate
    self.key = key
  }
}

/// An authority of one host: it signs certificates of servers, and no further authorities (RFC 5280, section 4.2.1.9).
///
/// All keys are ECDSA on P-256. What is made holds from 1970 on, so that a machine whose clock has lost the date believes
/// it.
public struct CertificateAuthority: Sendable {
  /// Its certificate and key.
  public let pair: KeyPair

  /// An authority that was read.
  ///
  /// - Throws: ``CertificateError`` when certificate and key do not belong together.
  public init(_ pair: KeyPair) throws(CertificateError) {
    guard Parsed.key(pair.key) != nil else { throw .noKey }
    guard try Certificate(pem: pair.certificate).fits(key: pair.key) else { throw .otherKey }
    self.pair = pair
  }

  /// A new authority, which holds until a time in seconds since 1970.
  ///
  /// - Throws: ``CertificateError``.
  public init(name: String, end: Int64) throws(CertificateError) {
    let key = try Self.makeKey()
    pair = try Self.make(
      name, key, end: end, issuer: nil,
      [
        (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
        (NID_key_usage, "critical,keyCertSign,cRLSign"),
        (NID_subject_key_identifier, "hash"),
      ])
  }

  /// A new key and certificate of a server.
  ///
  /// - Parameters:
  ///   - hosts: The addresses and names that it is for; the first is its name for people.
  ///   - end: Until when it holds, in seconds since 1970.
  /// - Throws: ``CertificateError``.
  public func issue(hosts: [(text: String, isAddress: Bool)], end: Int64) throws(CertificateError) -> KeyPair
  {
    guard let certificate = Parsed.certificates(pair.certificate).first, let key = Parsed.key(pair.key) else {
      throw .noCertificate
    }
    let names = hosts.map { "\($0.isAddress ? "IP" : "DNS"):\($0.text)" }.joined(separator: ",")
    return try Self.make(
      "kubespray-offline \(hosts.first?.text ?? "")", Self.makeKey(), end: end, issuer: (certificate, key),
      [
        (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
        (NID_ext_key_usage, "serverAuth"), (NID_subject_key_identifier, "hash"),
        (NID_authority_key_identifier, "keyid:always"), (NID_subject_alt_name, names),
      ])
  }

  private static func makeKey() throws(CertificateError) -> Parsed {
    guard let key = ko_make_key() else { throw Parsed.failure() }
    return Parsed(key: key)
  }

  private static func make(
    _ name: String, _ key: Parsed, end: Int64, issuer: (certificate: Parsed, key: Parsed)?,
    _ extensions: [(kind: Int32, value: String)]
  ) throws(CertificateError) -> KeyPair {
    guard let pointer = X509_new() else { throw Parsed.failure() }
    let certificate = Parsed(certificate: pointer)
    var serial = [UInt8](repeating: 0, count: 16)
    guard RAND_bytes(&serial, Int32(serial.count)) == 1 else { throw Parsed.failure() }
    // A positive number of always the same length.
    serial[0] = serial[0] & 0x7f | 0x40
    guard let number = BN_bin2bn(serial, Int32(serial.count), nil) else { throw Parsed.failure() }
    defer { BN_free(number) }
    let subject = X509_get_subject_name(pointer)
    let above = issuer?.certificate.pointer ?? pointer
    guard X509_set_version(pointer, 2) == 1,
      BN_to_ASN1_INTEGER(number, X509_get_serialNumber(pointer)) != nil,
      ASN1_TIME_set(X509_getm_notBefore(pointer), 0) != nil,
      ASN1_TIME_set(X509_getm_notAfter(pointer), Int(end)) != nil,
      // A common name has at most 64 characters (RFC 5280, appendix A.1).
      ko_set_common_name(subject, String(name.prefix(64))) == 1,
      X509_set_issuer_name(pointer, X509_get_subject_name(above)) == 1,
      X509_set_pubkey(pointer, key.pointer) == 1
    else { throw Parsed.failure() }
    for (kind, value) in extensions {
      guard ko_add_extension(pointer, above, kind, value) == 1 else { throw Parsed.failure() }
    }
    guard X509_sign(pointer, issuer?.key.pointer ?? key.pointer, EVP_sha256()) > 0 else {
      throw Parsed.failure()
    }
    return try withExtendedLifetime((certificate, key, issuer)) { () throws(CertificateError) in
      KeyPair(
        certificate: try Parsed.written { PEM_write_bio_X509($0, pointer) },
        key: try Parsed.written { PEM_write_bio_PrivateKey($0, key.pointer, nil, nil, 0, nil, nil) })
    }
  }
}
