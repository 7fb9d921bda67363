import Bundle
import Files
import Foundation
import Integrity
import SystemPackage
import TestSupport
import Testing

/// `docs/reference/bundle.schema.json` says what this program writes and reads.
@Suite struct ManifestSchemaTests {
  let folder: TemporaryFolder
  let schema: JSONSchema

  init() throws {
    folder = try TemporaryFolder()
    schema = try JSONSchema(Data(readBytes("docs/reference/bundle.schema.json")))
  }

  /// A manifest in which every field is set that can be.
  private func manifest(format: Int) throws -> Manifest {
    var manifest = try folder.manifest(of: ["files/a": "one", "images/b.tar.gz": "two"])
    var proof = ClosureProof(key: "k", kubespray: "2.30.0", architectures: ["amd64"], inventory: "hosts.yml")
    proof.packages = ["debian-12": 3]
    proof.requirements = ["3.11": 9]
    proof.missing = [.init(component: "etcd", variable: "etcd_version", wanted: "a URL", reason: "not there")]
    proof.remarks = ["one"]
    manifest.proof = proof
    guard format == 2 else { return manifest }
    manifest.format = 2
    manifest.id = Manifest.newID()
    manifest.sequence = 1_700_000_000
    manifest.toolDigest = Digest(of: [1])
    manifest.expires = "2026-06-01T00:00:00Z"
    manifest.source = ManifestSource(
      version: "2.30.0", origin: ManifestSource.local, sha256: Digest(of: [2]), tree: Digest(of: [3]))
    manifest.signedRepositories = ["debs/local": String(repeating: "A1", count: 20)]
    var image = ManifestImage(
      reference: try ImageReference("nginx:1.29.4"), digest: Digest(of: [4]), platforms: ["linux/amd64"],
      layers: 7)
    image.served = Digest(of: [5])
    image.lacking = ["linux/arm64/v8"]
    image.attached = [ManifestAttached(digest: Digest(of: [6]), type: "x/y", tag: "t", isSignature: true)]
    image.blobs = [Digest(of: [7]), Digest(of: [8])]
    manifest.files[1].image = image
    return manifest
  }

  @Test(arguments: [1, 2]) func `What is written is valid`(_ format: Int) throws {
    let bytes = Data(try manifest(format: format).encoded())
    #expect(try schema.problems(in: bytes) == [])
    #expect(try Manifest(decoding: Array(bytes)).format == format)
  }

  @Test func `A platform, a stage and a verification are those of the program`() throws {
    func values(_ name: String) throws -> [String]? { try schema.definition(name)["enum"] as? [String] }
    #expect(try values("verification") == Verification.allCases.map(\.rawValue))
    #expect(try values("stage").map(Set.init) == Set(StageName.allCases.map(\.rawValue)))
  }

  @Test func `What keys may be added is passed over`() throws {
    let text = String(decoding: try manifest(format: 2).encoded(), as: UTF8.self)
    let more = text.replacing("\"format\" : 2", with: "\"format\" : 2, \"later\" : {\"a\": [1]}")
    #expect(more != text)
    #expect(try schema.problems(in: Data(more.utf8)) == [])
  }

  /// Each of these is refused by the program too.
  @Test(arguments: [
    ("\"format\" : 2", "\"format\" : 3"), ("\"format\" : 2", "\"format\" : \"2\""),
    ("\"sequence\"", "\"other\""),
    ("\"sequence\" : 1700000000", "\"sequence\" : -1"),
    ("\"sequence\" : 1700000000", "\"sequence\" : 9007199254740992"),
    ("\"id\"", "\"name\""), ("\"signedRepositories\"", "\"repositories\""), ("A1A1\"", "\""),
    ("\"debs/local\"", "\"debs/../..\""), ("\"2026-06-01T00:00:00Z\"", "\"tomorrow\""),
    ("\"path\" : \"files/a\"", "\"path\" : \"/files/a\""),
    ("\"path\" : \"files/a\"", "\"path\" : \"files/../a\""),
    ("\"path\" : \"files/a\"", "\"path\" : \"files/a:b\""),
    ("\"path\" : \"files/a\"", "\"path\" : \"files/a.\""),
    ("\"path\" : \"files/a\"", "\"path\" : \"files//a\""), ("\"path\" : \"files/a\"", "\"path\" : \"\""),
    ("\"path\" : \"files/a\"", "\"path\" : \"bundle.json.sig\""),
    ("\"path\" : \"files/a\"", "\"path\" : \"files/.incomplete.a\""),
    ("\"path\" : \"files/a\"", "\"path\" : 7"), ("\"size\" : 3", "\"size\" : -3"),
    ("\"size\" : 3", "\"size\" : \"3\""),
    ("\"size\" : 3", "\"size\" : 2305843009213693952"), ("\"size\" : 3", "\"size\" : 3.5"),
    ("\"sha256\" : \"sha256:", "\"sha256\" : \"md5:"), ("\"sha256\" : \"sha256:", "\"sha257\" : \"sha256:"),
    ("\"verification\" : \"", "\"verification\" : \"un"), ("\"layers\" : 7", "\"layers\" : -7"),
    ("\"layers\" : 7", "\"layer\" : 7"), ("\"isSignature\" : true", "\"isSignature\" : 1"),
    ("\"missing\" : [", "\"missing\" : 0, \"lost\" : ["),
    ("\"kubespray\" : \"2.30.0\"", "\"kubespray\" : null"),
  ])
  func `What the program refuses is not valid`(_ part: String, _ replacement: String) throws {
    let text = String(decoding: try manifest(format: 2).encoded(), as: UTF8.self)
    let pieces = text.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(pieces.count == 2, "\(part) is not in \(text)")
    let broken = pieces.joined(separator: replacement)
    #expect(try !schema.problems(in: Data(broken.utf8)).isEmpty)
    #expect(throws: ManifestError.self) { try Manifest(decoding: Array(broken.utf8)) }
  }

  @Test(arguments: ["[]", "{}", "null", "\"bundle\"", "{\"format\": 1}"])
  func `What is no manifest is not valid`(_ text: String) throws {
    #expect(try !schema.problems(in: Data(text.utf8)).isEmpty)
  }

  @Test func `A keyword that the check does not know is no silence`() throws {
    let strange = try JSONSchema(Data("{\"oneOf\": []}".utf8))
    #expect(throws: JSONSchema.Fault.self) { try strange.problems(in: Data("{}".utf8)) }
  }
}
