import Bundle
import Files
import Settings
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// What `clean` may remove: what this program made, and nothing else.
@Suite(.timeLimit(.minutes(10))) struct CleaningTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func clean(includesBundle: Bool) throws -> [FilePath] {
    try Cleaning(fixture.configuration, includesBundle: includesBundle).execute()
  }

  private func makeBundle() async throws {
    _ = try await fixture.run([try fixture.artifact("/a/kubelet", "kubelet")])
  }

  @Test func nothingThereIsNothingToDo() throws {
    #expect(try clean(includesBundle: true).isEmpty)
  }

  @Test func theBundleStaysUnlessItIsWanted() async throws {
    try await makeBundle()
    try fixture.write("half", to: "outputs/files/.incomplete.aa.part")
    try fixture.write("url", to: "outputs/files/.incomplete.aa.meta")
    #expect(try clean(includesBundle: false).count == 3)
    #expect(fixture.names == ["SHA256SUMS", "bundle.json", "files/a/kubelet"])
    #expect(fixture.text("cache/CACHEDIR.TAG") == nil)
    #expect(try clean(includesBundle: true) == [fixture.outputs])
    #expect(!exists(fixture.outputs))
  }

  @Test func theCacheMayStayOrGoAlone() async throws {
    try await makeBundle()
    try fixture.write("half", to: "outputs/files/.incomplete.aa.part")
    try fixture.write("12345678", to: "cache/indexes/x")
    let cache = try Cleaning(fixture.configuration, includesBundle: false, includesRemains: false)
    #expect(cache.paths == [fixture.cache] && cache.size > 8)
    let bundle = try Cleaning(fixture.configuration, includesBundle: true, includesCache: false)
    #expect(bundle.paths == [fixture.outputs])
    _ = try bundle.execute()
    #expect(!exists(fixture.outputs) && exists(fixture.cache))
  }

  @Test func whatOthersPutIntoTheBundleStays() async throws {
    try await makeBundle()
    try fixture.write("mine", to: "outputs/files/mine")
    let cleaning = try Cleaning(fixture.configuration, includesBundle: true)
    #expect(cleaning.foreign == [fixture.outputs.appending("files/mine")])
    _ = try cleaning.execute()
    #expect(fixture.names == ["files/mine"])
    #expect(!exists(fixture.outputs.appending("files/a")))
  }

  @Test func anUnfinishedBundleIsOursToo() async throws {
    try await makeBundle()
    try fixture.remove("outputs/bundle.json")
    #expect(try clean(includesBundle: true).contains(fixture.outputs))
  }

  @Test func aFolderOfOthersIsNotOurs() throws {
    try fixture.write("a thesis", to: "outputs/files/thesis.txt")
    #expect(throws: NotOurs.self) { try clean(includesBundle: true) }
    #expect(fixture.text("outputs/files/thesis.txt") == "a thesis")
  }

  @Test func aCacheWithoutOurTagIsNotOurs() throws {
    try fixture.write(
      "Signature: 8a477f597d28d172789f06886806bc55\n# another program", to: "cache/CACHEDIR.TAG")
    try fixture.write("x", to: "cache/theirs")
    let error = #expect(throws: NotOurs.self) { try clean(includesBundle: false) }
    #expect("\(try #require(error))".contains("\(fixture.cache) was not made by this program"))
    #expect(fixture.text("cache/theirs") == "x")
  }

  @Test func aFolderWithOtherThingsIsUsedAsCacheAndNeverRemoved() async throws {
    try fixture.write("a thesis", to: "cache/thesis.txt")
    try await makeBundle()
    #expect(fixture.text("cache/CACHEDIR.TAG") == nil)
    #expect(throws: NotOurs.self) { try clean(includesBundle: false) }
    #expect(fixture.text("cache/thesis.txt") == "a thesis")
  }

  @Test func aBundleThatIsBeingMadeIsNotRemoved() async throws {
    try await makeBundle()
    let lock = try RunLock.take(fixture.job([]))
    #expect(throws: FileLockError.self) { try clean(includesBundle: true) }
    withExtendedLifetime(lock) {}
    #expect(fixture.names.count == 3)
  }
}
