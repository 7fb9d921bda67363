import Bundle
import Files
import Integrity
import SystemPackage
import TestSupport
import Testing

/// What format 2 says, and what no manifest can say.
@Suite struct ManifestFormatTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A manifest in which every field is set.
  private func statement() throws -> Manifest {
    var manifest = try folder.manifest(of: ["files/a": "one", "b": "two"])
    manifest.format = 2
    manifest.id = String(repeating: "0f", count: 16)
    manifest.sequence = 1_700_000_000
    manifest.toolDigest = Digest(of: [1])
    manifest.expires = "2026-06-01T00:00:00Z"
    manifest.source = ManifestSource(version: "2.30.0", origin: "local", sha256: Digest(of: [2]))
    manifest.signedRepositories = ["debs/local": String(repeating: "A1", count: 20)]
    return manifest
  }

  private func reason(_ text: String) throws -> String {
    try #require(#expect(throws: ManifestError.self) { try Manifest(decoding: Array(text.utf8)) }).reason
  }

  /// The text of a manifest with one part replaced.
  private func text(_ part: String, _ replacement: String) throws -> String {
    let text = String(decoding: try statement().encoded(), as: UTF8.self)
    let pieces = text.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(pieces.count == 2, "\(part)")
    return pieces.joined(separator: replacement)
  }

  @Test func whatIsWrittenIsRead() throws {
    let manifest = try statement()
    let bytes = try manifest.encoded()
    #expect(try Manifest(decoding: bytes) == manifest)
    try manifest.save(to: folder.path)
    #expect(try readBytes(folder.path.appending("bundle.json")) == bytes)
  }

  @Test func formatOneHasNoneOfIt() throws {
    let text = String(decoding: try folder.manifest(of: ["a": "x"]).encoded(), as: UTF8.self)
    let keys = ["\"id\"", "sequence", "toolDigest", "expires", "source", "signedRepositories"]
    #expect(text.contains("\"format\" : 1") && !keys.contains(where: text.contains))
    let manifest = try Manifest(decoding: Array(text.utf8))
    #expect(manifest.id == nil && manifest.sequence == nil && manifest.signedRepositories.isEmpty)
  }

  @Test(arguments: [
    ("\"sequence\" : 1700000000", "\"sequence\" : 1, \"sequence\" : 2", "\"sequence\" is there twice"),
    ("\"sequence\" : 1700000000", "\"sequence\" : 1700000000, \"s\\u0065quence\" : 2", "with a backslash"),
    ("\"sequence\" : 1700000000", "\"sequence\" : -1", "its sequence is not between"),
    ("\"sequence\" : 1700000000", "\"sequence\" : 9223372036854775807", "its sequence is not between"),
    ("\"sequence\" : 1700000000", "\"sequence\" : 1e99", "a number"),
    ("\"sequence\" : 1700000000", "\"sequence\" : 01", "it is not JSON"),
    ("\"sequence\" : 1700000000", "\"other\" : 1", "\"sequence\" is missing"),
    ("\"0f0f", "\"0g0f", "its id is not"), ("\"2026-06-01T00:00:00Z\"", "\"tomorrow\"", "could expire"),
    ("\"debs/local\"", "\"debs/../..\"", "cannot be the folder"), ("A1A1\"", "\"", "not the fingerprint"),
    ("\"size\" : 3", "\"size\" : -3", "has the size -3"),
    ("\"size\" : 3", "\"size\" : 9223372036854775807", "together have more than"),
    ("\"size\" : 3", "\"size\" : 1152921504606846976", "together have more than"),
    ("\"size\" : 3", "\"size\" : 9223372036854775808", "a number"),
    ("\"files/a\"", "\"b\"", "\"b\" is there twice"), ("\"files/a\"", "\"B\"", "are one name on FAT"),
    ("\"files/a\"", "\"b/c\"", "\"b\" is a file, and a folder of"),
    ("\"files/a\"", "\"bundle.json\"", "describes a bundle"),
    ("\"files/a\"", "\"Bundle.JSON.sig\"", "describes a bundle"),
    ("\"files/a\"", "\".incomplete.x.part\"", "on their way"),
    ("\"files/a\"", "\"x/.Incomplete.Y\"", "on their way"),
  ])
  func whatNoManifestSaysIsRefused(_ part: String, _ replacement: String, _ expected: String) throws {
    let reason = try reason(text(part, replacement))
    #expect(reason.contains("not a bundle manifest") && reason.contains(expected), "\(reason)")
  }

  @Test func aDigestOfAnotherKindIsRefused() throws {
    let sha512 = "\(Digest(of: Array("two".utf8), algorithm: .sha512))"
    let reason = try reason(text("\(Digest(of: Array("two".utf8)))", sha512))
    #expect(reason.contains("is not a SHA-256"))
  }

  @Test func nestingWithoutEndIsRefused() throws {
    let deep = String(repeating: "[", count: 300_000)
    #expect(try reason(deep).contains("nested deeper than"))
    #expect(try reason(text("\"platforms\" : [", "\"x\" : \(deep), \"platforms\" : [")).contains("nested"))
  }

  @Test func otherEncodingsThanUTF8AreRefused() throws {
    let text = String(decoding: try statement().encoded(), as: UTF8.self)
    let wide = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    for bytes in [wide, [0xEF, 0xBB, 0xBF] + Array(text.utf8), Array(text.utf8) + [0xFF]] {
      let error = #expect(throws: ManifestError.self) { try Manifest(decoding: bytes) }
      #expect(error?.kind == .malformed)
    }
  }

  @Test func theSequenceRisesAlsoWhenTheClockWasSetBack() throws {
    var manifest = try statement()
    #expect(Manifest.nextSequence(after: nil, at: 5) == 5)
    #expect(Manifest.nextSequence(after: manifest, at: 5) == 1_700_000_001)
    #expect(Manifest.nextSequence(after: manifest, at: 1_800_000_000) == 1_800_000_000)
    manifest.sequence = nil
    #expect(Manifest.nextSequence(after: manifest, at: 5) == 5)
  }

  @Test func aStatementEndsAtItsTime() throws {
    var manifest = try statement()
    let end = try #require(ManifestTime.seconds("2026-06-01T00:00:00Z"))
    #expect(!manifest.hasExpired(at: end - 1) && manifest.hasExpired(at: end))
    manifest.expires = nil
    #expect(!manifest.hasExpired(at: .max))
  }

  @Test func idsDiffer() {
    #expect(Manifest.newID() != Manifest.newID() && Manifest.newID().utf8.count == 32)
  }

  @Test func signaturesAreExpectedBesideTheManifest() async throws {
    let manifest = try statement()
    try manifest.save(to: folder.path)
    for name in ["bundle.json.sig", "bundle.json.sig.2", "bundle.json.sig.16"] {
      try folder.write("s", to: name)
    }
    for name in ["bundle.json.sig.1", "bundle.json.sig.17", "bundle.json.sig.02", "files/bundle.json.sig"] {
      try folder.write("s", to: name)
      #expect(!Manifest.isSignature(name))
    }
    let problems = try await BundleVerifier(outputs: folder.path, manifest: manifest).verify()
    #expect(
      problems.map(\.path) == [
        "bundle.json.sig.02", "bundle.json.sig.1", "bundle.json.sig.17", "files/bundle.json.sig",
      ])
    let found = try Manifest.signatures(in: folder.path)
    #expect(found.map(\.name) == ["bundle.json.sig", "bundle.json.sig.2", "bundle.json.sig.16"])
  }

  @Test func anotherManifestTakesTheSignaturesAway() throws {
    var manifest = try statement()
    try manifest.save(to: folder.path)
    try folder.write("s", to: "bundle.json.sig")
    try folder.write("s", to: "bundle.json.sig.2")
    try manifest.save(to: folder.path)
    #expect(try Manifest.signatures(in: folder.path).count == 2)
    manifest.sequence = 1_700_000_001
    try manifest.save(to: folder.path)
    #expect(try Manifest.signatures(in: folder.path).isEmpty)
  }

  @Test func theChecksumsListEveryOtherFile() throws {
    let manifest = try folder.manifest(of: ["b/c": "one", "a": "two", "SHA256SUMS": "old"])
    let one = Digest(of: Array("one".utf8)).hex
    let two = Digest(of: Array("two".utf8)).hex
    #expect(BundleChecksums.text(of: manifest.files) == "\(two)  a\n\(one)  b/c\n")
  }
}
