import Files
import Glibc
import SystemPackage
import TestSupport
import Testing

@Suite struct FileLockTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func aSecondHolderIsRefusedAndToldWho() throws {
    let path = folder.path.appending("lock")
    let first = try FileLock(path)
    let error = try #require(#expect(throws: FileLockError.self) { try FileLock(path) })
    #expect(error.holder == getpid())
    #expect("\(error)" == "\(path) is locked by process \(getpid())")
    withExtendedLifetime(first) {}
  }

  @Test func itIsFreeWhenItsHolderIsGone() throws {
    let path = folder.path.appending("lock")
    for _ in 1...3 {
      let lock = try FileLock(path)
      withExtendedLifetime(lock) {}
    }
  }

  @Test func theHolderOfAnEmptyFileIsNotMadeUp() throws {
    let path = folder.path.appending("lock")
    let first = try FileLock(path)
    try FileDescriptor.open(path, .writeOnly, options: .truncate).close()
    let error = try #require(#expect(throws: FileLockError.self) { try FileLock(path) })
    #expect(error.holder == nil && "\(error)".contains("another process"))
    withExtendedLifetime(first) {}
  }

  @Test func aFolderThatIsMissingIsAnError() {
    let path = folder.path.appending("no/lock")
    #expect(throws: FileError(.create, path, .noSuchFileOrDirectory)) { try FileLock(path) }
  }
}
