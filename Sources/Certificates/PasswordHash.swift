import CCrypto

/// Hashes of passwords as servers keep them.
///
/// Both are for long random passwords, for which a slow hash would gain nothing. The salt comes from the password, so that
/// the same password has the same hash in every run.
public enum PasswordHash {
  /// The hash of bcrypt, at a low cost: the only one that the registry takes (distribution, "htpasswd").
  ///
  /// - Throws: ``CertificateError`` when the system's libcrypt has no bcrypt.
  public static func bcrypt(_ password: String) throws(CertificateError) -> String {
    var hash = [CChar](repeating: 0, count: 128)
    let salt = salt("bcrypt", password, count: 16).map { CChar(bitPattern: $0) }
    guard ko_bcrypt(password, 5, salt, Int32(salt.count), &hash, Int32(hash.count)) == 1 else {
      throw .library("libcrypt has no bcrypt")
    }
    return String(decoding: hash.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// `{SSHA}` and the SHA-1 of password and salt in base64, which the web server computes anew for each request
  /// (RFC 2307; nginx, "auth_basic_user_file").
  public static func saltedSHA1(_ password: String) -> String {
    let salt = salt("ssha", password, count: 8)
    let bytes = Array(password.utf8) + salt
    var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
    SHA1(bytes, bytes.count, &digest)
    return "{SSHA}\(base64(digest + salt))"
  }

  /// The text in base64 (RFC 4648, section 4).
  public static func base64(_ bytes: [UInt8]) -> String {
    var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
    let count = EVP_EncodeBlock(&text, bytes, Int32(clamping: bytes.count))
    return String(decoding: text.prefix(Int(count)), as: UTF8.self)
  }

  private static func salt(_ purpose: String, _ password: String, count: Int) -> [UInt8] {
    let bytes = Array("kubespray-offline \(purpose) \(password)".utf8)
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    SHA256(bytes, bytes.count, &digest)
    return Array(digest.prefix(count))
  }
}
