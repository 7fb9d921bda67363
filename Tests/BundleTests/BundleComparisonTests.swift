import Bundle
import TestSupport
import Testing

@Suite struct BundleComparisonTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func whatTellsOneClosingFromAnotherIsNotCompared() throws {
    var first = try folder.manifest(of: ["a": "one", "b": "two"])
    first.format = 2
    var second = first
    (first.id, second.id) = (Manifest.newID(), Manifest.newID())
    (first.sequence, second.sequence) = (1, 2)
    second.created = "2026-02-02T00:00:00Z"
    second.expires = "2027-02-02T00:00:00Z"
    let comparison = BundleComparison(first, second)
    #expect(comparison.isEqual && comparison.files == 2)
  }

  @Test func anotherKeyOfARepositoryIsNotedAndWhatItSignsIsCompared() throws {
    let names = [
      "debs/local/Release", "debs/local/InRelease", "debs/local/Release.gpg",
      "debs/local/kubespray-offline.asc", "debs/local/arm64/InRelease", "rpms/x/repodata/repomd.xml",
      "rpms/x/repodata/repomd.xml.asc", "rpms/x/repodata/repomd.xml.key",
      "rpms/x/keys/RPM-GPG-KEY-kubespray-offline", "SHA256SUMS",
    ]
    func manifest(_ key: String, release: String = "the same") throws -> Manifest {
      let signed = ["debs/local/Release", "rpms/x/repodata/repomd.xml"]
      var manifest = try folder.manifest(
        of: Dictionary(uniqueKeysWithValues: names.map { ($0, signed.contains($0) ? release : key) }))
      manifest.signedRepositories = ["debs/local": key, "rpms/x": key]
      return manifest
    }
    let comparison = BundleComparison(try manifest("A1"), try manifest("B2"))
    #expect(comparison.isEqual, "\(comparison.differences)")
    #expect(
      comparison.keys.map { "\($0.path) \($0.first ?? "") \($0.second ?? "")" } == [
        "debs/local A1 B2", "rpms/x A1 B2",
      ])
    // Signed again with the same key, at another time.
    let again = BundleComparison(try manifest("A1"), try manifest("A1"))
    #expect(again.isEqual && again.keys.isEmpty)
    let changed = BundleComparison(try manifest("A1"), try manifest("B2", release: "another"))
    #expect(changed.differences.map(\.path) == ["debs/local/Release", "rpms/x/repodata/repomd.xml"])
    var unsigned = try manifest("A1")
    unsigned.signedRepositories["rpms/x"] = nil
    unsigned.files.removeAll { $0.path.description == "rpms/x/repodata/repomd.xml.asc" }
    #expect(
      BundleComparison(try manifest("A1"), unsigned).differences.map(\.path) == [
        "signedRepositories", "rpms/x/repodata/repomd.xml.asc",
      ])
  }

  @Test func eachDifferenceIsListed() throws {
    let first = try folder.manifest(of: ["same": "s", "changed": "one", "gone": "x", "moved": "m"])
    var second = try folder.manifest(of: ["same": "s", "changed": "two", "new": "x", "moved": "m"])
    second.kubespray = "2.29.0"
    for index in second.files.indices where second.files[index].path.description == "moved" {
      second.files[index].url = "https://elsewhere.example/moved"
      second.files[index].verification = .none
    }
    let found = BundleComparison(first, second).differences.map { "\($0.path) \($0.what.rawValue)" }
    #expect(
      found == [
        "kubespray statement", "changed content", "gone presence", "moved label", "moved url", "new presence",
      ])
  }
}
