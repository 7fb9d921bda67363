import Testing

@testable import Certificates

@Suite("Certificates")
struct CertificateTests {
  private static let later: Int64 = 4_000_000_000
  private static let now: Int64 = 1_800_000_000

  private static func hosts(_ texts: String...) -> [(text: String, isAddress: Bool)] {
    texts.map { ($0, $0.contains { ":".contains($0) } || $0.allSatisfy { $0.isNumber || $0 == "." }) }
  }

  private static func authority(_ name: String = "test") throws -> CertificateAuthority {
    try CertificateAuthority(name: name, end: later)
  }

  @Test("a certificate is believed for its addresses and names, from 1970 to its end, and for nothing else")
  func issued() throws {
    let authority = try Self.authority()
    let pair = try authority.issue(
      hosts: Self.hosts("10.0.0.5", "fd00::5", "mirror.example.com", "localhost"), end: Self.later - 1)
    let certificate = try Certificate(pem: pair.certificate)
    #expect(certificate.end == Self.later - 1)
    #expect(certificate.names.first == "10.0.0.5")
    #expect(certificate.fingerprint.split(separator: ":").count == 32)
    for host in ["10.0.0.5", "fd00::5", "fd00:0::5", "mirror.example.com", "MIRROR.example.com", "localhost"]
    {
      #expect(certificate.isFor(host), "\(host)")
      // A clock without a battery stands at the beginning of time.
      for time in [60, Self.now, Self.later - 2] {
        try certificate.check(key: pair.key, authority: authority.pair.certificate, host: host, time: time)
      }
    }
    for host in ["10.0.0.6", "fd00::6", "example.com", "x.mirror.example.com", ""] {
      #expect(!certificate.isFor(host), "\(host)")
    }
  }

  @Test("OpenSSL finds it in a folder under this name, whatever its key")
  func subjectHash() throws {
    let authority = try Self.authority("kubespray-offline test")
    // As "openssl x509 -hash" says of a certificate with that common name.
    #expect(try Certificate(pem: authority.pair.certificate).subjectHash == "fadabdbc")
  }

  @Test("two authorities, and two certificates, have nothing in common")
  func different() throws {
    let (first, second) = (try Self.authority(), try Self.authority())
    #expect(first.pair.key != second.pair.key)
    let (one, two) = (
      try first.issue(hosts: Self.hosts("a.example"), end: Self.later),
      try first.issue(hosts: Self.hosts("a.example"), end: Self.later)
    )
    #expect(one.key != two.key)
    #expect(throws: CertificateError.otherKey) {
      try CertificateAuthority(KeyPair(certificate: first.pair.certificate, key: second.pair.key))
    }
  }

  @Test("what would keep a client from believing a server is found, and named")
  func refused() throws {
    let authority = try Self.authority()
    let pair = try authority.issue(hosts: Self.hosts("a.example"), end: Self.now)
    let other = try authority.issue(hosts: Self.hosts("a.example"), end: Self.now)
    let certificate = try Certificate(pem: pair.certificate)
    let pem = authority.pair.certificate
    func check(
      key: [UInt8]? = nil, authority: [UInt8]? = nil, host: String = "a.example", time: Int64 = Self.now - 1
    ) throws {
      try certificate.check(key: key ?? pair.key, authority: authority ?? pem, host: host, time: time)
    }
    try check()
    #expect(throws: CertificateError.noKey) { try check(key: Array("no key".utf8)) }
    #expect(throws: CertificateError.noKey) { try check(key: pair.certificate) }
    #expect(throws: CertificateError.otherKey) { try check(key: other.key) }
    #expect(throws: CertificateError.ended(Self.now)) { try check(time: Self.now) }
    #expect(throws: CertificateError.notFor(host: "b.example", names: ["a.example"])) {
      try check(host: "b.example")
    }
    let stranger = try Self.authority().pair.certificate
    #expect(throws: CertificateError.untrusted("unable to get local issuer certificate")) {
      try check(authority: stranger)
    }
    #expect(throws: CertificateError.self) { try check(authority: Array("no certificate".utf8)) }
    for text in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
      #expect(throws: CertificateError.noCertificate) { try Certificate(pem: Array(text.utf8)) }
    }
  }

  @Test("an authority signs no authorities")
  func noChain() throws {
    let authority = try Self.authority()
    let pair = try authority.issue(hosts: Self.hosts("a.example"), end: Self.later)
    let below = try CertificateAuthority(pair).issue(hosts: Self.hosts("b.example"), end: Self.later)
    let chain = below.certificate + pair.certificate
    let certificate = try Certificate(pem: chain)
    #expect(throws: CertificateError.self) {
      try certificate.check(
        key: below.key, authority: authority.pair.certificate, host: "b.example", time: Self.now)
    }
  }

  @Test("a password has the same hashes in every run, and another one others")
  func hashes() throws {
    let hash = try PasswordHash.bcrypt("0123456789abcdef")
    #expect(hash.hasPrefix("$2b$05$") && hash.count == 60, "\(hash)")
    #expect(try PasswordHash.bcrypt("0123456789abcdef") == hash)
    #expect(try PasswordHash.bcrypt("0123456789abcdeg") != hash)
    let salted = PasswordHash.saltedSHA1("0123456789abcdef")
    // 20 bytes of SHA-1 and 8 of salt.
    #expect(salted.hasPrefix("{SSHA}") && salted.count == 6 + 40, "\(salted)")
    #expect(PasswordHash.saltedSHA1("0123456789abcdeg") != salted)
    #expect(PasswordHash.base64(Array("kubespray:x".utf8)) == "a3ViZXNwcmF5Ong=")
    #expect(PasswordHash.base64([]) == "")
  }
}
