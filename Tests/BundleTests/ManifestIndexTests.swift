import Bundle
import Integrity
import TestSupport
import Testing

@Suite struct ManifestIndexTests {
  private func files(_ contents: [(String, String)]) throws -> [ManifestFile] {
    try contents.map { path, text in
      ManifestFile(
        path: try BundlePath(path), size: Int64(text.utf8.count), sha256: Digest(of: Array(text.utf8)),
        url: nil,
        stage: .files, verification: .local)
    }
  }

  @Test func whatIsThereIsFoundByItsPathInAnyOrder() throws {
    let names = (0..<200).map { "files/\($0 * 7919 % 200)" }
    let index = ManifestIndex(try files(names.map { ($0, "of \($0)") }))
    for name in names {
      #expect(index.file(try BundlePath(name))?.sha256 == Digest(of: Array("of \(name)".utf8)))
    }
    for other in ["a", "files", "files/200", "files/1/2", "z"] {
      #expect(index.file(try BundlePath(other)) == nil)
    }
    #expect(ManifestIndex([]).file(try BundlePath("a")) == nil)
  }

  @Test func filesOfOneContentComeInOrderOfPaths() throws {
    let index = ManifestIndex(
      try files([("b", "same"), ("a", "same"), ("c", "other"), ("d", "same"), ("e", "alone")]),
      findsContent: true)
    func paths(_ text: String) -> [String] {
      index.files(of: Digest(of: Array(text.utf8))).map(\.path.description)
    }
    #expect(paths("same") == ["a", "b", "d"])
    #expect(paths("other") == ["c"] && paths("alone") == ["e"] && paths("nobody's").isEmpty)
  }
}
