import Files
import SystemPackage
import Testing

/// What comes from outside is read without a trap, and every promise of a reader is kept.
///
/// A trap ends the program of all tests; `make fuzz ARGS=READER` then finds its input, and keeps it.
@Suite("Readers of bytes from outside", .timeLimit(.minutes(5)))
struct FuzzTests {
  private static let corpus = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .appending("Corpus")

  private func files(_ name: String) throws -> [(name: String, content: [UInt8])] {
    let folder = Self.corpus.appending(name)
    return try listFolder(folder).map { ($0, try readBytes(folder.appending($0))) }
  }

  @Test("the corpus, and changes of it that are the same each time", arguments: Reader.all.map(\.name))
  func reading(_ name: String) throws {
    let reader = try #require(Reader.all.first { $0.name == name })
    let files = try files(name)
    try #require(!files.isEmpty)
    for file in files {
      #expect(throws: Never.self, "\(name)/\(file.name)") { try reader.run(file.content) }
    }
    var changes = Changes(of: files.map(\.content), seed: UInt64(name.utf8.count))
    for number in 0..<100 {
      let input = changes.next()
      do {
        try reader.run(input)
      } catch {
        Issue.record(
          "\(name), change \(number): \(error)\n\(String(decoding: input, as: UTF8.self).debugDescription)")
        return
      }
    }
  }

  @Test("every reader has a folder of the corpus, and every folder a reader")
  func corpusIsComplete() throws {
    #expect(try listFolder(Self.corpus) == Reader.all.map(\.name).sorted())
  }
}
