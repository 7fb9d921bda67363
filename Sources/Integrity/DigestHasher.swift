import Crypto
import Files
import SystemPackage

/// Computes a digest over bytes as they pass by.
public struct DigestHasher: Sendable {
  private enum State: Sendable {
    case sha256(SHA256)
    case sha512(SHA512)
  }

  private var state: State

  /// Starts a computation.
  public init(_ algorithm: DigestAlgorithm) {
    switch algorithm {
    case .sha256: state = .sha256(SHA256())
    case .sha512: state = .sha512(SHA512())
    }
  }

  /// Takes in more bytes.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    switch state {
    case .sha256(var hash):
      hash.update(bufferPointer: bytes)
      state = .sha256(hash)
    case .sha512(var hash):
      hash.update(bufferPointer: bytes)
      state = .sha512(hash)
    }
  }

  /// Takes in more bytes.
  public mutating func update(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { update($0) }
  }

  /// The digest of everything taken in so far; more may follow.
  public func finalize() -> Digest {
    switch state {
    case .sha256(let hash): Digest(algorithm: .sha256, bytes: hash.finalize())
    case .sha512(let hash): Digest(algorithm: .sha512, bytes: hash.finalize())
    }
  }
}

extension Digest {
  /// The digest of bytes in memory.
  public init(of bytes: [UInt8], algorithm: DigestAlgorithm = .sha256) {
    var hasher = DigestHasher(algorithm)
    hasher.update(bytes)
    self = hasher.finalize()
  }

  /// The digest of a file's content, read once in pieces of 1 MiB.
  ///
  /// - Throws: `FileError` when the file cannot be read.
  public init(ofFile path: FilePath, algorithm: DigestAlgorithm = .sha256) throws {
    var hasher = DigestHasher(algorithm)
    try readFile(path) { hasher.update($0) }
    self = hasher.finalize()
  }
}

/// The digest of a file's content by an algorithm, and its SHA-256, of one reading.
///
/// - Throws: `FileError` when the file cannot be read.
public func digests(
  ofFile path: FilePath, _ algorithm: DigestAlgorithm
) throws -> (wanted: Digest, sha256: Digest) {
  var sha256 = DigestHasher(.sha256)
  guard algorithm != .sha256 else {
    try readFile(path) { sha256.update($0) }
    let digest = sha256.finalize()
    return (digest, digest)
  }
  var wanted = DigestHasher(algorithm)
  try readFile(path) { bytes in
    sha256.update(bytes)
    wanted.update(bytes)
  }
  return (wanted.finalize(), sha256.finalize())
}
