import Cache
import Console
import Files
import SystemPackage
import TestSupport
import Testing

@testable import DownloadAllCommands

/// The logs of the last runs.
@Suite struct RunLogTests {
  private func names(_ folder: FilePath) throws -> [String] {
    try listFolder(folder.appending("log")).sorted()
  }

  @Test func `All that a run says is in it, whatever is shown`() throws {
    try withFolder { folder in
      let log = try #require(
        RunLog(cache: folder.appending("cache"), arguments: ["files", "--mirror", "x=https://me:secret@x/"]))
      let console = Console(
        options: ConsoleOptions(mode: .quiet),
        device: ConsoleDevice(
          writeOutput: { _ in }, writeError: { _ in }, size: { TerminalSize(columns: 80, rows: 24) },
          now: { ConsoleInstant(uptime: 1, unixTime: 1) }), log: log.device)
      console.emit(.message(.debug, "a detail", stage: "files"))
      console.emit(.itemFinished("files", item: "files/kubelet", .done, bytes: 3))
      console.table(["STAGE"], [["files"]])
      console.finish("done")
      let said = try readText(log.path)
      for part in ["download-all files", "x=https://me:***@x/", "a detail", "STAGE\nfiles\n", "done\n"] {
        #expect(said.contains(part), "\(said)")
      }
      #expect(!said.contains("secret"))
      #expect(try FileInfo(log.path).permissions == .ownerReadWrite)
    }
  }

  @Test func `The newest ten stay`() throws {
    try withFolder { folder in
      let cache = folder.appending("cache")
      for number in 10...24 {
        try put("old\n", at: cache.appending("log").appending("2020-01-01T0000\(number)Z-1.log"))
      }
      try put("mine\n", at: cache.appending("log").appending("notes.txt"))
      let log = try #require(RunLog(cache: cache, arguments: []))
      let left = try names(cache)
      #expect(left.count == RunLog.kept + 1)
      #expect(left.contains(log.path.lastComponent?.string ?? ""))
      #expect(left.contains("notes.txt") && left.contains("2020-01-01T000024Z-1.log"))
      #expect(!left.contains("2020-01-01T000015Z-1.log"))
    }
  }

  @Test func `A cache that it makes is one of this program`() throws {
    try withFolder { folder in
      let cache = folder.appending("cache")
      #expect(RunLog(cache: cache, arguments: []) != nil)
      #expect(CacheTag.marks(cache))
    }
  }

  @Test func `A run goes on without one where none can be written`() throws {
    try withFolder { folder in
      try put("a file\n", at: folder.appending("cache"))
      #expect(RunLog(cache: folder.appending("cache"), arguments: []) == nil)
    }
  }
}
