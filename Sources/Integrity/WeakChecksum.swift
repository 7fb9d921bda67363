import Crypto
import Files
import SystemPackage

/// A checksum by which servers tell two contents apart. It proves nothing against somebody who wants to deceive, so a
/// ``Digest`` is taken wherever there is one.
public struct WeakChecksum: Hashable, Sendable {
  /// The function.
  public enum Algorithm: Sendable, Hashable {
    /// MD5 (RFC 1321).
    case md5
    /// SHA-1 (FIPS 180-4).
    case sha1
  }

  /// The function.
  public let algorithm: Algorithm
  /// The value in lower-case hexadecimal.
  public let hex: String

  /// A checksum as a server told it: 32 hexadecimal digits are MD5, 40 are SHA-1; `nil` for anything else.
  public init?(_ text: some StringProtocol) {
    let lowered = text.lowercased()
    guard lowered.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else {
      return nil
    }
    switch lowered.utf8.count {
    case 32: algorithm = .md5
    case 40: algorithm = .sha1
    default: return nil
    }
    hex = lowered
  }

  /// Whether a file has this checksum. Reads it once in pieces of 1 MiB.
  ///
  /// - Throws: `FileError` when the file cannot be read.
  public func matches(file path: FilePath) throws -> Bool {
    switch algorithm {
    case .md5: try Self.hex(path, Insecure.MD5()) == hex
    case .sha1: try Self.hex(path, Insecure.SHA1()) == hex
    }
  }

  private static func hex(_ path: FilePath, _ function: some HashFunction) throws -> String {
    var function = function
    try readFile(path) { function.update(bufferPointer: $0) }
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: function.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xf)]] }, as: UTF8.self)
  }
}
