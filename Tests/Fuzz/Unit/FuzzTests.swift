import Files
import Foundation
import SystemPackage
import Testing

/// What comes from outside is read without a trap, and every promise of a reader is kept.
///
/// A trap ends the program of all tests; `make fuzz ARGS=READER` then finds its input, and keeps it.
///
/// The changes are the same ones in every run, unless the environment says otherwise: FUZZ_CHANGES for how many each reader
/// gets, FUZZ_SECONDS for how long at most (CI gives thousands in some seconds), FUZZ_SEED for where they begin.
@Suite("Readers of bytes from outside", .timeLimit(.minutes(5)))
struct FuzzTests {
  private static let corpus = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .appending("Corpus")

  private static func number(_ variable: String) -> UInt64? {
    ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
  }

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
    let seed = Self.number("FUZZ_SEED") ?? 0
    var changes = Changes(of: files.map(\.content), seed: seed &+ UInt64(name.utf8.count))
    let seconds = Self.number("FUZZ_SECONDS")
    let most = Self.number("FUZZ_CHANGES") ?? (seconds == nil ? 100 : .max)
    let end = ContinuousClock.now + .seconds(Int(seconds ?? 240))
    var number: UInt64 = 0
    while number < 100 || (number < most && ContinuousClock.now < end) {
      number += 1
      let input = changes.next()
      do {
        try reader.run(input)
      } catch {
        Issue.record(
          "\(name), seed \(seed), change \(number): \(error)\n\(String(decoding: input, as: UTF8.self).debugDescription)"
        )
        return
      }
    }
  }

  @Test("every reader has a folder of the corpus, and every folder a reader")
  func corpusIsComplete() throws {
    #expect(try listFolder(Self.corpus) == Reader.all.map(\.name).sorted())
  }
}
