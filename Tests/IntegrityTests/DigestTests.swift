import Integrity
import Testing

@Suite struct DigestTests {
  @Test func knownValues() throws {
    let empty = Digest(of: [])
    #expect(empty.description == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    let abc = Digest(of: Array("abc".utf8), algorithm: .sha512)
    #expect(abc.hex.hasPrefix("ddaf35a193617abacc417349ae204131"))
  }

  @Test func upperCaseHexIsTheSameDigest() throws {
    let hex = String(repeating: "AB", count: 32)
    #expect(try Digest("sha256:" + hex) == Digest("sha256:" + hex.lowercased()))
  }

  @Test(arguments: [
    "", "sha256", "sha256:", "sha256:12", "md5:" + String(repeating: "a", count: 32),
    "sha256:" + String(repeating: "g", count: 64),
  ])
  func badTextIsRefused(_ text: String) {
    #expect(throws: DigestError.self) { try Digest(text) }
  }
}
