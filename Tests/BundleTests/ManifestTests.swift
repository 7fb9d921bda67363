import Bundle
import Integrity
import SystemPackage
import TestSupport
import Testing

@Suite struct ManifestTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func reason(_ text: String) throws -> String {
    try folder.write(text, to: "bundle.json")
    let error = try #require(#expect(throws: ManifestError.self) { try Manifest.load(from: folder.path) })
    #expect("\(error)".hasPrefix("\(folder.path)/bundle.json: "))
    return error.reason
  }

  @Test func whatIsSavedIsLoaded() throws {
    var manifest = try folder.manifest(of: ["b": "bee", "a/ü": "you", "a-b": ""])
    var proof = ClosureProof(key: "k", kubespray: "2.30.0", architectures: ["amd64"], inventory: nil)
    proof.missing = [.init(component: "kubelet", variable: "kubelet_download_url", wanted: "u", reason: "r")]
    manifest.proof = proof
    try manifest.save(to: folder.path)
    #expect(try Manifest.load(from: folder.path) == manifest)
    #expect(manifest.files.map(\.path.description) == ["a-b", "a/ü", "b"])
    #expect(manifest.totalSize == 6)
    let text = try #require(folder.text("bundle.json"))
    #expect(text.hasSuffix("}\n") && text.contains("\"url\" : \"https://example.com/b\""))
    #expect(text.contains("\"sha256\" : \"sha256:"))
  }

  @Test func anOlderManifestIsForItsArchitecture() throws {
    try folder.write(
      """
      {"architecture": "arm64", "created": "2026-01-01T00:00:00Z", "files": [], "format": 1,
       "kubespray": "2.30.0", "stages": ["files"], "tool": "older"}
      """, to: "bundle.json")
    #expect(try Manifest.load(from: folder.path)?.platforms == ["linux/arm64"])
  }

  @Test func theSameContentIsTheSameBytes() throws {
    try folder.manifest(of: ["a": "1", "b": "2", "c": "3"]).save(to: folder.path)
    let first = folder.text("bundle.json")
    try folder.manifest(of: ["c": "3", "b": "2", "a": "1"]).save(to: folder.path)
    #expect(folder.text("bundle.json") == first)
  }

  @Test func noneIsNoError() throws {
    #expect(try Manifest.load(from: folder.path) == nil)
    #expect(try Manifest.load(from: folder.path.appending("no/such")) == nil)
  }

  @Test(arguments: [#"{"format": 3, "entirely": "different"}"#, #"{"format": 0}"#])
  func anotherFormatIsRefusedByItsNumber(_ text: String) throws {
    let reason = try reason(text)
    #expect(reason.contains("it has format") && reason.contains("this program knows 1 and 2"))
  }

  @Test(arguments: [
    ("", "it is empty"), ("\0\0\0\0", "only zero bytes"), ("<html>", "it is not JSON"),
    ("{\"format\": 1, \"fil", "it is cut off"), ("{\"format\": 1,", "it is cut off"),
    ("{\"format\": tr", "it is cut off"),
    ("{\"format\": 1, \"files\": [\0\0\0", "it is cut off"), ("{\"format\": 1}}", "it is not JSON"),
    ("{\"format\": trud}", "it is not JSON"),
    ("{}", "\"format\" is missing"), ("[]", "a value of another kind was expected"),
    ("{\"format\": 1}", "is missing"),
  ])
  func garbageIsRefused(_ text: String, _ expected: String) throws {
    let reason = try reason(text)
    #expect(reason.contains("not a bundle manifest") && reason.contains(expected))
  }

  @Test(arguments: ["../outside", "/etc/passwd", "a//b", "a/../b"])
  func aPathOutOfTheBundleIsRefused(_ path: String) throws {
    try folder.manifest(of: ["file": "x"]).save(to: folder.path)
    let text = try #require(folder.text("bundle.json"))
    let bad = text.split(separator: "\"file\"", omittingEmptySubsequences: false).joined(
      separator: "\"\(path)\"")
    #expect(try reason(bad).contains("segment"))
  }

  @Test func aSaveThatFailsLeavesTheOldOne() throws {
    let old = try folder.manifest(of: ["a": "1"])
    try old.save(to: folder.path)
    try folder.write("x", to: ".incomplete.bundle.json.tmp/in-the-way")
    let error = #expect(throws: ManifestError.self) {
      try folder.manifest(of: ["b": "2"]).save(to: folder.path)
    }
    #expect(error?.reason.contains("it cannot be written") == true)
    #expect(try Manifest.load(from: folder.path) == old)
  }

  @Test func aManifestThatCannotBeReadIsNamed() throws {
    try folder.write("x", to: "bundle.json/in-the-way")
    let error = #expect(throws: ManifestError.self) { try Manifest.load(from: folder.path) }
    #expect(error?.reason.contains("it cannot be read") == true)
  }
}
