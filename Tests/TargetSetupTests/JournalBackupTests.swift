import Files
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// What a journal keeps of what was there before.
extension JournalTests {
  @Test("a backup stays until what it holds is back, and says itself where that belongs")
  func backups() throws {
    try withHost { host, _ in
      let journal = try Journal(.extract, on: host)
      try journal.write("/etc/old.conf", "ours\n")
      let folder = try #require(try listFolder(journal.backupFolder).first)
      #expect(try FileInfo(journal.backupFolder).mode == 0o700)
      #expect(text(journal.backupFolder.appending("\(folder)/path")) == "/etc/old.conf\n")
      #expect(text(journal.backupFolder.appending("\(folder)/content")) == "theirs\n")
      // Not before it was taken back.
      #expect(throws: StepError.self) { try journal.forget() }
      #expect(journal.isEmpty == false)
      #expect(text(journal.backupFolder.appending("\(folder)/content")) == "theirs\n")
      // One that no line names and that is nowhere else stays, and is reported.
      try put("/etc/gone.conf\n", at: journal.backupFolder.appending("original-x/path"))
      try put("gone\n", at: journal.backupFolder.appending("original-x/content"))
      _ = try journal.takeBack()
      #expect(try journal.forget().first?.contains("original-x") == true)
      #expect(text(journal.backupFolder.appending("original-x/content")) == "gone\n")
    }
  }

  @Test("killed before its first line was written, a step leaves nothing either")
  func killedAtFirst() throws {
    try withHost { host, before in
      let journal = try Journal(.extract, on: host)
      try put("half a li", at: temporaryName(for: journal.file.copy))
      try put("/etc/old.conf\n", at: journal.backupFolder.appending("original-x/path"))
      #expect(journal.isEmpty)
      #expect(try journal.forget() == [])
      #expect(try content(of: host.root) == before)
    }
  }

  @Test("what came back and was moved aside again is kept, too")
  func movedTwice() throws {
    try withHost { host, _ in
      let journal = try Journal(.extract, on: host)
      try journal.moveAside("/etc/aside.d")
      try put("two\n", at: host.path("/etc/aside.d/two.list"))
      try journal.moveAside("/etc/aside.d")
      let report = try journal.takeBack()
      #expect(text(host.path("/etc/aside.d/one.list")) == "one\n")
      #expect(report.kept.count == 1)
      try journal.forget()
      #expect(text(host.path("/var/lib/kubespray-offline/changed/extract/1/etc/aside.d/two.list")) == "two\n")
    }
  }

  @Test(
    "a secret is never readable by others, neither while it is written nor in the backup nor when it comes back"
  )
  func secrets() throws {
    var modes: Set<UInt32> = []
    try withFileMask(0) {
      try withHost { host, _ in modes = try modesOfSecrets(host) }
    }
    #expect(modes == [0o600])
  }

  /// The modes of secrets at each moment from the first writing to the return of what was there before.
  private func modesOfSecrets(_ host: TargetHost) throws -> Set<UInt32> {
    let etc = host.path("/etc")
    let seen = Mutex<Set<UInt32>>([])
    let journal = try Journal(
      .extract, on: host,
      checkpoint: {
        for name in try listFolder(etc) where name.contains("secret") {
          let mode = try FileInfo(etc.appending(name)).mode
          seen.withLock { _ = $0.insert(mode) }
        }
      })
    try put("before\n", at: etc.appending("secret.conf"))
    try setPermissions(.ownerReadWrite, of: etc.appending("secret.conf"))
    try journal.write("/etc/secret.conf", "after\n", mode: 0o600)
    let source = host.path("/opt/source")
    try put("copied\n", at: source)
    try journal.copy(source, to: "/etc/secret.copy", mode: 0o600)
    let backup = try #require(journal.entries.compactMap(\.backup).first)
    var modes = seen.withLock { $0 }
    modes.insert(try FileInfo(journal.backupFolder.appending(backup)).mode)
    _ = try journal.takeBack()
    modes.insert(try FileInfo(etc.appending("secret.conf")).mode)
    return modes
  }

  /// Whether the disk of temporary files has attributes of users.
  private static let hasAttributes: Bool = {
    guard let folder = try? TemporaryFolder(), (try? folder.write("x", to: "file")) != nil else {
      return false
    }
    let wanted = ExtendedAttributes(["user.test": [1]])
    try? wanted.apply(to: folder.path.appending("file"))
    return (try? ExtendedAttributes(folder.path.appending("file"))) == wanted
  }()

  @Test(
    "attributes of files, folders and what is in them come back",
    .enabled(if: hasAttributes, "the disk has no extended attributes"))
  func attributes() throws {
    try withFolder { folder in
      let host = context(root: folder, bundle: folder).host
      let wanted = ExtendedAttributes(["user.origin": Array("theirs".utf8)])
      try put("theirs\n", at: folder.appending("etc/old.conf"))
      try put("one\n", at: folder.appending("etc/aside.d/one.list"))
      let places = ["/etc/old.conf", "/etc/aside.d", "/etc/aside.d/one.list"].map { host.path(FilePath($0)) }
      for place in places { try wanted.apply(to: place) }
      let journal = try Journal(.extract, on: host)
      try journal.write("/etc/old.conf", "ours\n")
      try journal.moveAside("/etc/aside.d")
      #expect(try ExtendedAttributes(places[0]).values.isEmpty)
      _ = try journal.takeBack()
      for place in places { #expect(try ExtendedAttributes(place) == wanted, "\(place)") }
      // The same content without them is not what was there before.
      try ExtendedAttributes([:]).apply(to: places[0])
      _ = try journal.takeBack()
      #expect(try ExtendedAttributes(places[0]) == wanted)
    }
  }
}
