import Dispatch
import Files
import Glibc
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Files that are being written, and others that write them too.
@Suite(.timeLimit(.minutes(10))) struct PendingFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> FilePath { folder.path.appending(name) }

  @Test(arguments: [
    FilePermissions.ownerReadWrite, .publicFile, [.publicFile, .ownerExecute], [.publicFile, .groupWrite],
  ])
  func theModeIsThatAskedForWhateverTheUmask(_ permissions: FilePermissions) throws {
    let first = try withFileMask(0o077) {
      let file = try PendingFile(for: path("file"), permissions: permissions)
      let first = try FileInfo(file.descriptor).permissions
      _ = try file.descriptor.writeAll("x".utf8)
      try file.commit()
      return first
    }
    #expect(first == permissions)
    #expect(try FileInfo(path("file")).permissions == permissions)
  }

  @Test func aNewModeReplacesTheOldOne() throws {
    try writeAtomically("public", to: path("file"))
    try writeAtomically("secret", to: path("file"), permissions: .ownerReadWrite)
    #expect(try FileInfo(path("file")).permissions == .ownerReadWrite)
  }

  @Test func whatIsNotCommittedGoesAway() throws {
    try writeAtomically("old", to: path("file"))
    do {
      let file = try PendingFile(for: path("file"))
      _ = try file.descriptor.writeAll("half".utf8)
      #expect(folder.names == [".incomplete.file.tmp", "file"])
    }
    #expect(folder.names == ["file"] && folder.text("file") == "old")
  }

  @Test func aSecondWriterWaitsForTheFirst() throws {
    let first = try PendingFile(for: path("file"))
    _ = try first.descriptor.writeAll("first".utf8)
    let done = DispatchSemaphore(value: 0)
    let failure = Mutex<String?>(nil)
    let second = path("file")
    DispatchQueue.global().async {
      do { try writeAtomically("second", to: second) } catch { failure.withLock { $0 = "\(error)" } }
      done.signal()
    }
    try first.commit()
    done.wait()
    #expect(failure.withLock { $0 } == nil && folder.text("file") == "second" && folder.names == ["file"])
  }

  @Test func manyWritersOfOneFileAllSucceed() throws {
    let failures = Mutex<[String]>([])
    let file = path("file")
    DispatchQueue.concurrentPerform(iterations: 200) { number in
      do {
        try writeAtomically(String(repeating: "\(number % 10)", count: 1000), to: file, isDurable: false)
      } catch {
        failures.withLock { $0.append("\(error)") }
      }
    }
    #expect(failures.withLock { $0 } == [])
    let text = try readText(file)
    #expect(text.count == 1000 && Set(text).count == 1 && folder.names == ["file"])
  }
}
