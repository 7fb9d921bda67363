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
