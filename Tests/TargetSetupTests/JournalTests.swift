import Files
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

@Suite("Journal")
struct JournalTests {
  /// The changes of a step that does everything a journal knows.
  @Sendable private static func change(_ journal: Journal) throws {
    try journal.write("/etc/tool/new.conf", "new\n", mode: 0o600)
    try journal.write("/etc/old.conf", "ours\n")
    try journal.write("/etc/old.conf", "ours, second\n")
    try journal.moveAside("/etc/aside.d")
    try journal.moveAside("/etc/link")
    try journal.write("/etc/aside.d/own.conf", "own\n")
    try journal.link("/etc/wants/unit", to: "../unit")
    try journal.note(.package, "value")
    let prepared = journal.onDisk("/opt/.tree.new")
    if !FileTree.exists(journal.onDisk("/opt/tree")) {
      try put("program\n", at: prepared.appending("bin").appending("run"))
      try journal.placeTree("/opt/.tree.new", at: "/opt/tree")
    }
    if try journal.own("/var/lib/daemon") { try put("data\n", at: journal.onDisk("/var/lib/daemon/db")) }
  }

  func withHost(_ body: (TargetHost, [String: String]) throws -> Void) throws {
    try withFolder(isOnDisk: false) { folder in
      let root = folder.appending("root")
      try put("theirs\n", at: root.appending("etc").appending("old.conf"))
      #expect(chmod(root.appending("etc").appending("old.conf").string, 0o640) == 0)
      try put("one\n", at: root.appending("etc").appending("aside.d").appending("one.list"))
      try FileManager.default.createSymbolicLink(
        atPath: root.appending("etc").appending("link").string, withDestinationPath: "/nowhere")
      try createDirectories(root.appending("opt"))
      try createDirectories(root.appending("var").appending("lib"))
      try body(context(root: root, bundle: folder.appending("bundle")).host, try content(of: root))
    }
  }

  /// The host without the program's own state.
  private func state(_ host: TargetHost) throws -> [String: String] {
    try content(of: host.root).filter { !$0.key.hasPrefix("var/lib/kubespray-offline") }
  }

  @Test("what was changed, moved, made and linked is taken back to the byte and the mode")
  func undo() throws {
    try withHost { host, before in
      let journal = try Journal(.extract, on: host)
      try Self.change(journal)
      #expect(text(host.path("/etc/old.conf")) == "ours, second\n")
      #expect(try listFolder(host.path("/etc/aside.d")) == ["own.conf"])
      #expect(journal.isIntact)
      let again = try Journal(.extract, on: host)
      #expect(again.notes(.package) == ["value"])
      let report = try again.takeBack()
      #expect(report.kept == [])
      try again.forget()
      #expect(try content(of: host.root) == before)
      // A second time there is nothing.
      #expect(try Journal(.extract, on: host).isEmpty)
    }
  }

  @Test("a step whose first file lies in the state folder does not call that folder its own")
  func stateFolder() throws {
    try withHost { host, before in
      let journal = try Journal(.nginx, on: host)
      try journal.write("/var/lib/kubespray-offline/nginx/nginx.conf", "events {}\n")
      #expect(try journal.takeBack().kept == [])
      try journal.forget()
      #expect(try content(of: host.root) == before)
    }
  }

  @Test("a second run writes nothing, neither files nor lines")
  func second() throws {
    try withHost { host, _ in
      try Self.change(try Journal(.extract, on: host))
      let journal = try Journal(.extract, on: host)
      let lines = journal.entries.count
      #expect(try !journal.write("/etc/tool/new.conf", "new\n", mode: 0o600))
      #expect(try !journal.link("/etc/wants/unit", to: "../unit"))
      #expect(try !journal.write("/etc/aside.d/own.conf", "own\n"))
      try journal.note(.package, "value")
      #expect(journal.entries.count == lines)
    }
  }

  private struct Killed: Error {}

  @Test("killed at any point, the step ends as if it had not been, and undo gives back what was there")
  func killed() throws {
    var wanted: [String: String] = [:]
    try withHost { host, _ in
      try Self.change(try Journal(.extract, on: host))
      wanted = try state(host)
    }
    var points = 0
    var isThrough = false
    while !isThrough {
      points += 1
      let last = points
      for mends in [true, false] {
        try withHost { host, before in
          let count = Mutex(0)
          do {
            try Self.change(
              try Journal(
                .extract, on: host,
                checkpoint: {
                  let now = count.withLock { value in
                    value += 1
                    return value
                  }
                  if now == last { throw Killed() }
                }))
            isThrough = true
          } catch {}
          let journal = try Journal(.extract, on: host)
          if mends {
            try Self.change(journal)
            #expect(try state(host) == wanted, "killed at \(last)")
            #expect(journal.isIntact)
          }
          _ = try journal.takeBack()
          try removeTree(host.path("/opt/.tree.new"))
          try journal.forget()
          #expect(
            try content(of: host.root) == before,
            "killed at \(last), \(mends ? "mended and undone" : "undone")")
        }
      }
    }
    #expect(points > 20)
  }

  @Test("a line that was cut off is no line, and the next one is not lost with it")
  func cutLine() throws {
    try withHost { host, _ in
      let journal = try Journal(.extract, on: host)
      try journal.note(.image, "1")
      let descriptor = try FileDescriptor.open(journal.file.path, .writeOnly, options: [.append])
      try descriptor.closeAfter { _ = try descriptor.writeAll(#"{"kind":"note","path":"tw"#.utf8) }
      let next = try Journal(.extract, on: host)
      try next.note(.storage, "3")
      let read = try Journal(.extract, on: host)
      #expect(read.entries.map(\.path) == ["image", "storage"])
    }
  }

  @Test("killed while it forgets, it has nothing more to take back, and the rest goes with the next call")
  func killedForgetting() throws {
    for last in 1...2 {
      try withHost { host, before in
        let count = Mutex(0)
        try Self.change(try Journal(.extract, on: host))
        let journal = try Journal(
          .extract, on: host,
          checkpoint: {
            let now = count.withLock { value in
              value += 1
              return value
            }
            if now == last { throw Killed() }
          })
        _ = try journal.takeBack()
        #expect(throws: Killed.self) { try journal.forget() }
        #expect(try state(host) == before)
        let next = try Journal(.extract, on: host)
        #expect(next.isEmpty)
        #expect(next.lastNote(.package) == nil)
        if last == 1 {
          // Used again before the rest was removed, it begins from nothing.
          try next.write("/etc/old.conf", "ours\n")
          let again = try Journal(.extract, on: host)
          #expect(again.entries.count == 1)
          _ = try again.takeBack()
          try again.forget()
        } else {
          try next.forget()
        }
        #expect(try content(of: host.root) == before)
      }
    }
  }

  @Test("a file of ours that somebody changed is left and told")
  func changedFile() throws {
    try withHost { host, _ in
      let journal = try Journal(.extract, on: host)
      try journal.write("/etc/tool/new.conf", "new\n")
      try put("edited\n", at: host.path("/etc/tool/new.conf"))
      #expect(!journal.isIntact)
      let report = try journal.takeBack()
      #expect(text(host.path("/etc/tool/new.conf")) == "edited\n")
      #expect(report.kept.contains { $0.hasPrefix("/etc/tool/new.conf was changed") })
    }
  }

  @Test("what somebody made of a replaced file is kept aside, and the first content comes back")
  func changedReplacement() throws {
    try withHost { host, _ in
      let journal = try Journal(.extract, on: host)
      try journal.write("/etc/old.conf", "ours\n")
      try put("edited\n", at: host.path("/etc/old.conf"))
      let report = try journal.takeBack()
      #expect(text(host.path("/etc/old.conf")) == "theirs\n")
      #expect(text(host.path("/var/lib/kubespray-offline/changed/extract/1/etc/old.conf")) == "edited\n")
      #expect(report.kept.count == 1)
      // Made again, it finds everything as it was.
      #expect(try journal.takeBack().kept == [])
    }
  }

  @Test("a tree loses what was put into it, and keeps what was changed or added since")
  func tree() throws {
    try withHost { host, _ in
      let journal = try Journal(.extract, on: host)
      try put("a\n", at: host.path("/opt/.tree.new/a"))
      try put("b\n", at: host.path("/opt/.tree.new/sub/b"))
      try journal.placeTree("/opt/.tree.new", at: "/opt/tree")
      try put("changed\n", at: host.path("/opt/tree/a"))
      try put("added\n", at: host.path("/opt/tree/inventory"))
      let report = try journal.takeBack()
      #expect(try listFolder(host.path("/opt/tree")) == ["a", "inventory"])
      #expect(report.kept.first?.hasPrefix("/opt/tree stays") == true)
    }
  }

  @Test("owners come back too, as far as this user may give files away", .enabled(if: getuid() == 0))
  func owners() throws {
    try withHost { host, _ in
      let path = host.path("/etc/old.conf").string
      #expect(chown(path, 12, 34) == 0)
      let journal = try Journal(.extract, on: host)
      try journal.write("/etc/old.conf", "ours\n")
      #expect((try? FileInfo(FilePath(path)))?.owner == 0)
      _ = try journal.takeBack()
      #expect((try? FileInfo(FilePath(path))).map { [$0.owner, $0.group] } == [12, 34])
    }
  }

  @Test("notes are stored as in the journals of earlier versions, so that undo reads those too")
  func noteKinds() throws {
    let stored = [
      "allowed", "package", "packages-installed", "service", "image", "container", "firewall-port",
      "installed", "before",
      "storage", "pushed", "repositories",
      "archive", "inventory", "docker", "docker-registry", "version", "package-server", "served-files",
      "served-debs", "served-rpms",
      "served-pypi", "pruned",
    ]
    #expect(NoteKind.allCases.map(\.rawValue) == stored)
    try withHost { host, _ in
      let lines = stored.map { #"{"kind":"note","path":"\#($0)","value":"earlier"}"# }
      let folder = host.path(host.stateFolder).appending("journal")
      try put(lines.joined(separator: "\n") + "\n", at: folder.appending("extract.jsonl"))
      let journal = try Journal(.extract, on: host)
      #expect(NoteKind.allCases.allSatisfy { journal.lastNote($0) == "earlier" })
    }
  }

  @Test("two runs at once: the second is refused and names the first")
  func twoRuns() async throws {
    try await withFolder { folder in
      let context = context(root: folder, bundle: folder)
      let lock = try HostLock(context.host)
      let error = await #expect(throws: StepError.self) { try await SetupRun(context).execute([.python]) }
      #expect(error?.description.contains("process \(getpid())") == true)
      withExtendedLifetime(lock) {}
    }
  }
}
