/// What is wrong with a certificate or a key.
public enum CertificateError: Error, Equatable, CustomStringConvertible {
  /// There is not one certificate in the form PEM.
  case noCertificate
  /// There is no private key in the form PEM, or it wants a password.
  case noKey
  /// The key belongs to another certificate.
  case otherKey
  /// The certificate is not for this address or name.
  case notFor(host: String, names: [String])
  /// The certificate has ended; in seconds since 1970.
  case ended(Int64)
  /// No authority that is named leads to it; the library's reason.
  case untrusted(String)
  /// The library could not do what it was asked.
  case library(String)

  /// A clause for people.
  public var description: String {
    switch self {
    case .noCertificate: "it holds no certificate in the form PEM"
    case .noKey: "it holds no private key in the form PEM that can be read without a password"
    case .otherKey: "the private key belongs to another certificate"
    case .notFor(let host, let names):
      "the certificate is not for \(host)"
        + (names.isEmpty ? ", it names no address" : ", only for \(names.joined(separator: ", "))")
    case .ended: "the certificate has expired"
    case .untrusted(let reason): "the authority does not lead to the certificate: \(reason)"
    case .library(let reason): "the certificate cannot be made: \(reason)"
    }
  }
}
