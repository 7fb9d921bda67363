import Bundle
import Integrity
import Testing

@Suite struct BundlePathTests {
  @Test(arguments: [
    "a", "x.part", "x.part.meta", "x.tmp", ".incomplete", "files/kubernetes/v1.34.3/kubelet", "with space",
    "ü/日本", ".hidden", "a..b", "a+b=c@d",
    String(repeating: "x", count: 255),
  ])
  func possibleEverywhere(_ text: String) throws {
    #expect(try BundlePath(text).description == text)
  }

  @Test(arguments: [
    ("", "empty"), ("/a", "empty"), ("a/", "empty"), ("a//b", "empty"), (".", "segment"),
    ("a/../b", "segment"),
    ("..", "segment"), ("a.", "ends with a dot"), ("a /b", "or a space"), ("a:b", "\":\""),
    ("a\\b", "FAT cannot"),
    ("a?b", "\"?\""), ("a*b", "\"*\""), ("a\"b", "FAT cannot"), ("a<b", "\"<\""), ("a>b", "\">\""),
    ("a|b", "\"|\""),
    ("files/.incomplete.x.tmp", "on their way"), (".Incomplete.x", "on their way"), ("a\nb", "FAT cannot"),
    ("a\0b", "FAT cannot"), ("../\u{301}x", "combines with a slash"), ("a/\u{301}b", "combines with a slash"),
    ("/\u{301}x", "combines with a slash"), (String(repeating: "ü", count: 128), "longer than 255"),
  ])
  func notPossibleOnEveryDisk(_ text: String, _ reason: String) throws {
    let error = try #require(#expect(throws: BundlePathError.self) { try BundlePath(text) })
    #expect(error.path == text && error.reason.contains(reason))
  }

  @Test func orderIsThatOfBytes() throws {
    let paths = try ["b", "a/b", "a-b", "B", "ä"].map { try BundlePath($0) }
    #expect(paths.sorted().map(\.description) == ["B", "a-b", "a/b", "b", "ä"])
  }
}

@Suite struct ArtifactPlanTests {
  private func artifact(_ path: String, _ url: String) throws -> Artifact {
    Artifact(path: try BundlePath(path), source: .url(url), stage: .files, verification: .tlsOnly)
  }

  @Test func theSameTwiceCountsOnce() throws {
    var plan = ArtifactPlan()
    try plan.add([
      try artifact("a", "https://x/a"), try artifact("b", "https://x/b"), try artifact("a", "https://x/a"),
    ])
    #expect(plan.artifacts.map(\.path.description) == ["a", "b"])
  }

  @Test(arguments: ["dir/Tool", "DIR/tool", "dir/tool"])
  func twoFilesForOnePlaceAreRefused(_ path: String) throws {
    var plan = ArtifactPlan()
    try plan.add(try artifact("dir/tool", "https://x/1"))
    let error = try #require(
      #expect(throws: ArtifactCollision.self) { try plan.add(try artifact(path, "https://u:pw@y/2")) })
    #expect("\(error)".contains("https://x/1 -> dir/tool"))
    #expect("\(error)".contains("@y/2 -> \(path)") && !"\(error)".contains("pw"))
    #expect(plan.artifacts.count == 1)
  }

  @Test(arguments: [("a/b", "a/b/c"), ("a/b/c", "a/b"), ("A/b", "a/B/c/d"), ("a/b/c/d", "A")])
  func aFileIsNoFolderOfAnother(_ first: String, _ second: String) throws {
    var plan = ArtifactPlan()
    try plan.add(try artifact(first, "https://x/1"))
    #expect(throws: ArtifactCollision.self) { try plan.add(try artifact(second, "https://x/2")) }
    try plan.add([try artifact("a-b", "https://x/3"), try artifact("z/b", "https://x/4")])
    #expect(plan.artifacts.count == 3)
  }

  @Test(arguments: [
    ("https://example.com", Verification.tlsOnly), ("http://example.com", .none),
    ("HTTP://example.com", .none),
    ("HTTPS://example.com", .tlsOnly),
  ])
  func whoVouchesWithoutAChecksum(_ url: String, _ expected: Verification) {
    #expect(Verification(withoutChecksum: url) == expected)
  }
}
