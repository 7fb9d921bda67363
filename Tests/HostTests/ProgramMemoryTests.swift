import Foundation
import Glibc
import Host
import Synchronization
import SystemPackage
import Testing

@Suite("What programs have answered")
struct ProgramMemoryTests {
  /// A folder with a program and a memory, which counts how often the program is asked.
  final class World: Sendable {
    let folder = FilePath(FileManager.default.temporaryDirectory.path).appending("program-memory-\(UUID())")
    private let count = Mutex(0)

    var program: FilePath { folder.appending("program") }
    var modules: FilePath { folder.appending("modules") }
    var asked: Int { count.withLock { $0 } }

    init() throws {
      try FileManager.default.createDirectory(atPath: modules.string, withIntermediateDirectories: true)
      try put("\u{7f}ELF one", program)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.string) }

    func put(_ text: String, _ path: FilePath) throws {
      try text.write(toFile: path.string, atomically: true, encoding: .utf8)
    }

    func ask(_ question: String = "version", gives answer: String? = "1.0") async -> String? {
      await ProgramMemory(folder: folder.appending("cache/programs")).answer(
        of: program, topic: "test", question: question, variables: []
      ) { () async -> ProgramMemory.Answer? in
        count.withLock { $0 += 1 }
        return answer.map { ProgramMemory.Answer($0, dependingOn: [modules, folder.appending("absent")]) }
      }?.text
    }

    var records: [String] {
      get throws {
        try FileManager.default.contentsOfDirectory(atPath: folder.appending("cache/programs").string)
          .map { folder.appending("cache/programs").appending($0).string }
      }
    }
  }

  @Test("the same question is asked once, by however many runs")
  func remembers() async throws {
    let world = try World()
    #expect(await world.ask() == "1.0")
    #expect(await world.ask(gives: "another") == "1.0")
    #expect(world.asked == 1)
  }

  @Test(
    "it is asked again when the program, what it depends on or the question is another",
    arguments: ["program", "entry", "appeared", "question"])
  func asksAgain(_ change: String) async throws {
    let world = try World()
    _ = await world.ask()
    switch change {
    case "program": try world.put("\u{7f}ELF two", world.program)
    case "entry": try world.put("", world.modules.appending("pip-26.dist-info"))
    case "appeared": try world.put("", world.folder.appending("absent"))
    default: #expect(await world.ask("path", gives: "2.0") == "2.0")
    }
    #expect(await world.ask(gives: "2.0") == "2.0")
    #expect(world.asked > 1)
  }

  @Test("what is damaged is asked again and repaired")
  func damaged() async throws {
    let world = try World()
    _ = await world.ask()
    for record in try world.records { try world.put("{\"format\": 1, ", FilePath(record)) }
    #expect(await world.ask(gives: "2.0") == "2.0")
    #expect(await world.ask(gives: "3.0") == "2.0")
  }

  @Test("no answer and the answers of unknown scripts are not remembered")
  func notRemembered() async throws {
    let world = try World()
    #expect(await world.ask(gives: nil) == nil)
    #expect(await world.ask() == "1.0")
    try world.put("#!/bin/sh\nexec \"$CHOSEN\"\n", world.program)
    #expect(await world.ask(gives: "2.0") == "2.0")
    #expect(await world.ask(gives: "3.0") == "3.0")
  }

  @Test("a question is written down as a digest only")
  func secrets() async throws {
    let world = try World()
    _ = await world.ask("https://user:secret@example.org/simple")
    for record in try world.records {
      #expect(!(try String(contentsOfFile: record, encoding: .utf8)).contains("secret"))
    }
  }
}
