import CCrypto

/// A certificate or a key as the library holds it, for the length of a call.
final class Parsed {
  let pointer: OpaquePointer
  private let free: (OpaquePointer?) -> Void

  init(certificate: OpaquePointer) {
    pointer = certificate
    free = { X509_free($0) }
  }

  init(key: OpaquePointer) {
    pointer = key
    free = { EVP_PKEY_free($0) }
  }

  deinit { free(pointer) }

  /// All certificates of a text in the form PEM, in their order.
  static func certificates(_ pem: [UInt8]) -> [Parsed] {
    var found: [Parsed] = []
    reading(pem) { bio in
      while let certificate = PEM_read_bio_X509(bio, nil, nil, nil) {
        found.append(Parsed(certificate: certificate))
      }
    }
    return found
  }

  /// The private key of a text in the form PEM; `nil` when there is none, or one with a password.
  static func key(_ pem: [UInt8]) -> Parsed? {
    var found: Parsed?
    reading(pem) { found = ko_read_key($0).map { Parsed(key: $0) } }
    return found
  }

  private static func reading(_ pem: [UInt8], _ body: (OpaquePointer) -> Void) {
    pem.withUnsafeBytes { bytes in
      guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return }
      body(bio)
      BIO_free(bio)
    }
    // Where the text ends the library notes an error for the next one to stumble over.
    ERR_clear_error()
  }

  /// What a function of the library writes.
  ///
  /// - Throws: ``CertificateError``.
  static func written(_ body: (OpaquePointer) -> Int32) throws(CertificateError) -> [UInt8] {
    guard let bio = BIO_new(BIO_s_mem()) else { throw failure() }
    defer { BIO_free(bio) }
    guard body(bio) > 0 else { throw failure() }
    var start: UnsafeMutablePointer<CChar>?
    let count = ko_memory(bio, &start)
    return UnsafeRawBufferPointer(start: start, count: count).map(\.self)
  }

  /// The library's last error.
  static func failure() -> CertificateError {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0, let text = ERR_reason_error_string(code) else {
      return .library("libcrypto gives no reason")
    }
    return .library(String(cString: text))
  }
}
