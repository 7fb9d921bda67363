import Files
import SystemPackage

/// A file that was named as that of a CA.
enum AuthorityFile {
  /// The longest that is read.
  private static let longest = 16 << 20

  /// Its certificates in the form PEM and nothing else: what lies beside them, such as a key, goes nowhere.
  ///
  /// - Throws: ``StepError`` that says what it is instead.
  static func certificates(_ file: FilePath) throws(StepError) -> [UInt8] {
    func failure(_ reason: String) -> StepError { StepError("the CA file \(file) \(reason)", .authorityFile) }
    let bytes: [UInt8]
    do {
      let info = try FileInfo(file, followsLinks: true)
      guard info.kind != .folder else { throw failure("is a folder") }
      guard info.kind == .file else { throw failure("is not a file") }
      bytes = try readBytes(file, limit: longest)
    } catch let error as StepError {
      throw error
    } catch {
      throw failure("cannot be read: \(FileError.reason(error))")
    }
    guard !bytes.isEmpty else { throw failure("is empty") }
    // A sequence of ASN.1 with a length of two bytes.
    guard !bytes.starts(with: [0x30, 0x82]) else {
      throw failure(
        "is in the form DER; change it with: openssl x509 -inform der -in \(file) -out \(file).pem")
    }
    let blocks = blocks(String(decoding: bytes, as: UTF8.self))
    let certificates = blocks.filter { Self.labels.contains($0.label) }
    guard !certificates.isEmpty else {
      let others = Set(blocks.map(\.label)).sorted().map { "\"\($0)\"" }.joined(separator: ", ")
      throw failure(
        blocks.contains { $0.label.contains("PRIVATE KEY") }
          ? "has a private key in it and no certificate"
          : "has no certificate in the form PEM in it" + (others.isEmpty ? "" : ", only \(others)"))
    }
    return Array(certificates.map(\.text).joined().utf8)
  }

  private static let labels: Set<String> = ["CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"]

  /// The parts of a text between lines `-----BEGIN X-----` and `-----END X-----` (RFC 7468), those lines with them.
  private static func blocks(_ text: String) -> [(label: String, text: String)] {
    var found: [(label: String, text: String)] = []
    var current: (label: String, lines: [Substring])?
    for line in text.split(whereSeparator: \.isNewline) {
      let line = line.drop { $0.isWhitespace || $0 == "\u{feff}" }
      if line.hasPrefix("-----BEGIN "), let end = line.dropFirst(11).firstRange(of: "-----") {
        current = (String(line.dropFirst(11)[..<end.lowerBound]), [line.prefix { $0 != "\r" }])
      } else if let open = current {
        current?.lines.append(line)
        guard line.hasPrefix("-----END ") else { continue }
        let lines = open.lines + [line]
        found.append((open.label, lines.map { "\($0)\n" }.joined()))
        current = nil
      }
    }
    return found
  }
}
