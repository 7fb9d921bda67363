import FoundationEssentials
import Integrity
import Transfer

/// What a store says of a file that it has.
struct StoredFile: Sendable {
  /// Its size in bytes.
  var size: Int64?
  /// Its digest.
  var sha256: Digest?
  /// Another checksum of it.
  var checksum: WeakChecksum?
  /// Whether a checksum is read out of a tag that may only look like one: then it proves that two are the same, and not
  /// that they differ.
  var isGuess = false

  /// What the head of an answer tells: `X-Checksum-*` (Artifactory), `Repr-Digest` (RFC 9530), and an `ETag` that is a
  /// checksum by its form: Nexus writes `{SHA1{…}}`, object stores write the MD5.
  init(_ head: ResponseHead) {
    size = head.fields["Content-Length"].flatMap(ByteSize.parse)
    sha256 = head.fields["X-Checksum-Sha256"].flatMap { try? Digest("sha256:\($0)") }
    if sha256 == nil, let text = head.fields["Repr-Digest"], text.hasPrefix("sha-256=:") {
      let encoded = text.dropFirst("sha-256=:".count).prefix { $0 != ":" }
      let hex = Data(base64Encoded: String(encoded))?.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      sha256 = hex.flatMap { try? Digest("sha256:\($0.joined())") }
    }
    checksum = head.fields["X-Checksum-Sha1"].flatMap { WeakChecksum($0) }
    guard sha256 == nil, checksum == nil, let tag = head.fields["ETag"], tag.hasPrefix("\""),
      tag.hasSuffix("\"")
    else { return }
    let text = tag.dropFirst().dropLast()
    isGuess = !text.hasPrefix("{SHA1{")
    if text.hasPrefix("{SHA1{"), text.hasSuffix("}}") {
      checksum = WeakChecksum(text.dropFirst("{SHA1{".count).dropLast(2))
    } else if text.utf8.count == 64 {
      sha256 = try? Digest("sha256:\(text)")
    } else {
      checksum = WeakChecksum(text)
    }
  }

  /// What Artifactory says of a file that it has just taken (`ItemCreated`); `nil` for the words of other servers.
  init?(created body: [UInt8]) {
    struct Created: Decodable {
      struct Checksums: Decodable {
        let sha1: String?
        let sha256: String?
      }
      let size: String?
      let checksums: Checksums
    }
    guard let created = try? JSONDecoder().decode(Created.self, from: Data(body)) else { return nil }
    size = created.size.flatMap(ByteSize.parse)
    sha256 = created.checksums.sha256.flatMap { try? Digest("sha256:\($0)") }
    checksum = created.checksums.sha1.flatMap { WeakChecksum($0) }
    if sha256 == nil, checksum == nil { return nil }
  }
}

/// What a store answers when it is asked for a file.
enum FoundFile: Sendable {
  /// It has something there.
  case file(StoredFile)
  /// It has nothing there.
  case nothing
  /// It does not let itself be asked.
  case untold
}

/// How what a store has compares to a file.
enum Comparison: Equatable {
  /// It is the same; the text says by what that is known.
  case same(String)
  /// It is something else; the text says how.
  case different(String)
  /// The store does not tell.
  case unknown
}

extension ResponseHead {
  /// Whether Artifactory answered: its versions of many years say so in one of these fields, for errors too.
  var isOfArtifactory: Bool {
    ["X-Artifactory-Id", "X-Artifactory-Node-Id", "X-JFrog-Version"].contains { fields[$0] != nil }
      || fields["Server"]?.hasPrefix("Artifactory") == true
  }
}
