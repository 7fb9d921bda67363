import Kubespray
import Testing

@Suite struct KubesprayVersionTests {
  @Test(
    "What a text means and where its tarball is",
    arguments: [
      (
        "2.30.0", KubesprayVersion.Kind.release, "kubespray-2.30.0.tar.gz", "refs/tags/v2.30.0.tar.gz",
        "v2.30.0"
      ),
      ("v2.30.0", .release, "kubespray-2.30.0.tar.gz", "refs/tags/v2.30.0.tar.gz", "v2.30.0"),
      ("2.31.0-rc1", .release, "kubespray-2.31.0-rc1.tar.gz", "refs/tags/v2.31.0-rc1.tar.gz", "v2.31.0-rc1"),
      ("master", .branch, "kubespray-master.tar.gz", "refs/heads/master.tar.gz", "master"),
      (
        "release-2.30", .branch, "kubespray-release-2.30.tar.gz", "refs/heads/release-2.30.tar.gz",
        "release-2.30"
      ),
      ("fix/etcd", .branch, "kubespray-fix-etcd.tar.gz", "refs/heads/fix/etcd.tar.gz", "fix/etcd"),
      ("46dbdd3", .commit, "kubespray-46dbdd3.tar.gz", "46dbdd3.tar.gz", "46dbdd3"),
      ("46DBDD3", .commit, "kubespray-46dbdd3.tar.gz", "46dbdd3.tar.gz", "46dbdd3"),
    ])
  func meaning(
    text: String, kind: KubesprayVersion.Kind, tarball: String, url: String, reference: String
  ) throws {
    let version = try KubesprayVersion(text)
    #expect(version.kind == kind)
    #expect(version.tarballName == tarball)
    #expect(version.tarballURL == "https://github.com/kubernetes-sigs/kubespray/archive/\(url)")
    #expect(version.gitReference == reference)
  }

  @Test(
    "Texts that are no version are refused with the text in the message",
    arguments: [
      "2.30", "v2", "..", "../etc", "a b", "x..y", "-rf", ".hidden", "2.30.0-", "a/", "/a", "a//b", "é",
      "x.lock",
    ])
  func refused(text: String) throws {
    let error = #expect(throws: KubesprayVersionError.self) { try KubesprayVersion(text) }
    #expect(try #require(error).description.contains("\"\(text)\""))
  }

  @Test func `An empty version is refused`() {
    #expect(throws: KubesprayVersionError.empty) { try KubesprayVersion("") }
  }

  @Test func `A tree of the user's own has no URL`() throws {
    let version = try KubesprayVersion(tree: "2.31.0")
    #expect(version.tarballURL == nil)
    #expect(version.folderName == "kubespray-2.31.0")
  }
}
