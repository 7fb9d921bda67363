import Console
import Files
import Integrity
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// Journals that something other than a kill has damaged: undo restores everything, or refuses and keeps all.
@Suite("Damaged journals")
struct JournalDamageTests {
  /// A host on which a step has replaced, moved and made files.
  private struct Changed {
    let host: TargetHost
    /// What was there before.
    let before: [String: String]

    init(_ folder: FilePath) throws {
      let root = folder.appending("root")
      try put("theirs\n", at: root.appending("etc").appending("old.conf"))
      try put("one\n", at: root.appending("etc").appending("aside.d").appending("one.list"))
      host = context(root: root, bundle: folder.appending("bundle")).host
      try createDirectories(root.appending("var/lib"))
      before = try content(of: root)
      let journal = try Journal(.extract, on: host)
      try journal.write("/etc/old.conf", "ours\n")
      try journal.moveAside("/etc/aside.d")
      try journal.write("/etc/new.conf", "new\n")
      try journal.note(.package, "tree")
      try journal.write("/etc/last.conf", "last\n", mode: 0o600)
    }

    var file: JournalFile { get throws { try Journal(.extract, on: host).file } }

    /// Expects that the journal is refused, by file and line, and that nothing was changed.
    func expectRefusal(_ what: String, names: String = "", sourceLocation: SourceLocation = #_sourceLocation)
      throws
    {
      let now = try content(of: host.root)
      let error = #expect(throws: StepError.self, "\(what)", sourceLocation: sourceLocation) {
        try Journal(.extract, on: host)
      }
      #expect(error?.kind.code == "journal-damaged", "\(what)", sourceLocation: sourceLocation)
      #expect(
        error?.detail.contains(names) == true, "\(what): \(error?.detail ?? "")",
        sourceLocation: sourceLocation)
      #expect(try content(of: host.root) == now, "\(what)", sourceLocation: sourceLocation)
    }

    func expectRestored(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
      let journal = try Journal(.extract, on: host)
      #expect(try journal.takeBack().kept == [], "\(what)", sourceLocation: sourceLocation)
      try journal.forget()
      #expect(try content(of: host.root) == before, "\(what)", sourceLocation: sourceLocation)
    }
  }

  private func withChanged(_ body: (Changed, JournalFile, [UInt8]) throws -> Void) throws {
    try withFolder(isOnDisk: false) { folder in
      let changed = try Changed(folder)
      let file = try changed.file
      try body(changed, file, try readBytes(file.path))
    }
  }

  private static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
    bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) + [UInt8(ascii: "\n")] }
  }

  @Test("every flipped byte of a line is noticed, with the line")
  func flippedBytes() throws {
    try withChanged { changed, file, bytes in
      var line = 1
      let lines = Self.lines(bytes).count
      for index in bytes.indices {
        defer { if bytes[index] == UInt8(ascii: "\n") { line += 1 } }
        guard [1, 2, 4, lines].contains(line) else { continue }
        var damaged = bytes
        damaged[index] ^= 1
        try writeAtomically(damaged, to: file.path, isDurable: false)
        let error = #expect(throws: StepError.self, "byte \(index)") {
          try Journal(.extract, on: changed.host)
        }
        // What the first line is for shows in the second.
        let isNamed = (line == 1 ? [1, 2] : [line]).contains {
          error?.detail.contains("line \($0) of \(file.path)") == true
        }
        #expect(isNamed, "\(index): \(error?.detail ?? "")")
      }
      try writeAtomically(bytes, to: file.path)
      try changed.expectRestored("mended")
    }
  }

  @Test("every flipped byte of the copy of the last lines is noticed")
  func flippedCopy() throws {
    try withChanged { changed, file, _ in
      let bytes = try readBytes(file.copy)
      for index in bytes.indices {
        var damaged = bytes
        damaged[index] ^= 1
        try writeAtomically(damaged, to: file.copy, isDurable: false)
        #expect(throws: StepError.self, "byte \(index)") { try Journal(.extract, on: changed.host) }
      }
    }
  }

  @Test("lines that are removed, doubled or moved are noticed; the last one is known from its copy")
  func lines() throws {
    try withChanged { changed, file, bytes in
      let lines = Self.lines(bytes)
      #expect(lines.count >= 6)
      func damage(_ what: String, _ damaged: [[UInt8]]) throws {
        try writeAtomically(damaged.flatMap { $0 }, to: file.path, isDurable: false)
        try changed.expectRefusal(what, names: "\(file.path)")
      }
      for index in lines.indices {
        var doubled = lines
        doubled.insert(lines[index], at: index)
        try damage("line \(index) doubled", doubled)
        if index < lines.count - 1 {
          var removed = lines
          removed.remove(at: index)
          try damage("line \(index) removed", removed)
          var swapped = lines
          swapped.swapAt(index, index + 1)
          try damage("line \(index) swapped", swapped)
        }
      }
      try damage("the last two lines removed", lines.dropLast(2))
      try writeAtomically(lines.dropLast().flatMap { $0 }, to: file.path)
      try changed.expectRestored("the last line removed")
    }
  }

  @Test("a cut last line is made whole; a journal that is cut before it is refused")
  func cuts() throws {
    try withChanged { changed, file, bytes in
      let last = try #require(Self.lines(bytes).last?.count)
      let end = bytes.count - last
      for count in stride(from: 0, to: end, by: 19) {
        try writeAtomically(Array(bytes[..<count]), to: file.path, isDurable: false)
        try changed.expectRefusal("cut to \(count)")
      }
    }
    for cut in stride(from: 0, to: 300, by: 47) {
      try withChanged { changed, file, bytes in
        let last = try #require(Self.lines(bytes).last?.count)
        let count = min(bytes.count - last + cut, bytes.count - 1)
        try writeAtomically(Array(bytes[..<count]), to: file.path)
        try changed.expectRestored("cut to \(count)")
      }
    }
  }

  @Test("a journal without its copy, a copy without its journal, and one of another step are refused")
  func files() throws {
    try withChanged { changed, file, bytes in
      let copy = try readBytes(file.copy)
      try removeFile(file.copy)
      try changed.expectRefusal("no copy", names: "\(file.copy)")
      try writeAtomically(copy, to: file.copy)
      try removeFile(file.path)
      try changed.expectRefusal("no journal", names: "\(file.path)")
      try writeAtomically(bytes, to: file.path)
      let other = try Journal(.python, on: changed.host)
      try other.note(.package, "other")
      try writeAtomically(try readBytes(other.file.copy), to: file.copy)
      try changed.expectRefusal("the copy of another step")
      try writeAtomically(copy, to: file.copy)
      try writeAtomically(Array("{\"format\":3,\"id\":\"x\"}\n".utf8), to: file.path)
      try changed.expectRefusal("a newer format", names: "format 3")
    }
  }

  @Test("a missing backup is named before anything is taken back")
  func missingBackup() throws {
    try withChanged { changed, file, _ in
      let journal = try Journal(.extract, on: changed.host)
      let backup = try #require(journal.entries.compactMap(\.backup).first)
      try removeTree(journal.backupFolder.appending(backup))
      let now = try content(of: changed.host.root)
      let error = #expect(throws: StepError.self) { try journal.takeBack() }
      #expect(error?.detail.contains(backup) == true)
      #expect(try content(of: changed.host.root) == now)
      #expect(throws: StepError.self) { try journal.forget() }
      #expect(try content(of: changed.host.root) == now)
    }
  }

  @Test(
    "undo of a step with a damaged journal stops nothing and changes nothing; the other steps say why they wait"
  )
  func undo() async throws {
    try await withFolder { folder in
      let changed = try Changed(folder)
      let file = try changed.file
      var bytes = try readBytes(file.path)
      bytes[bytes.count / 2] ^= 1
      try writeAtomically(bytes, to: file.path)
      let setup = context(root: changed.host.root, bundle: folder)
      let now = try content(of: changed.host.root)
      let report = try #require(try await SetupRun(setup).undo([.extract]).first)
      #expect(report.outcome == .failed)
      #expect(report.problems.first?.kind == "journal-damaged")
      #expect(report.detail.contains("\(file.backups)"))
      let after = try content(of: changed.host.root).filter { !$0.key.hasPrefix("run") }
      #expect(after == now)
      let again = try #require(try await SetupRun(setup).execute([.extract]).first)
      #expect(again.outcome == .failed)
      #expect(try await SetupRun(setup).status([.extract]).map(\.state) == ["unknown"])
    }
  }

  // MARK: Format 1

  /// A journal as earlier versions wrote it, with an empty line before all but the first.
  private func withOldJournal(_ lines: [String], _ body: (TargetHost, JournalFile) throws -> Void) throws {
    try withFolder(isOnDisk: false) { folder in
      let root = folder.appending("root")
      let host = context(root: root, bundle: folder).host
      let state = host.path(host.stateFolder)
      try put("ours\n", at: root.appending("etc/old.conf"))
      try put("theirs\n", at: state.appending("backup/extract/0"))
      try put(lines.joined(separator: "\n\n"), at: state.appending("journal/extract.jsonl"))
      try body(host, JournalFile(path: state.appending("journal/extract.jsonl"), backups: state))
    }
  }

  private static let old = [
    #"{"backup":"0","kind":"file","path":"/etc/old.conf","sha256":"sha256:\#(ours)"}"#,
    #"{"kind":"note","path":"package","value":"tree"}"#, "",
  ]
  private static let ours = Digest(of: Array("ours\n".utf8)).hex

  @Test("journals of the old format are undone, with what was added to them since")
  func oldFormat() throws {
    for isContinued in [false, true] {
      try withOldJournal(Self.old) { host, file in
        let journal = try Journal(.extract, on: host)
        #expect(journal.notes(.package) == ["tree"])
        if isContinued {
          try journal.write("/etc/new.conf", "new\n")
          #expect(try readText(file.path).hasPrefix("{\"format\":2,"))
          #expect(
            try Journal(.extract, on: host).entries.map(\.path) == [
              "/etc/old.conf", "package", "/etc/new.conf",
            ])
        }
        let next = try Journal(.extract, on: host)
        _ = try next.takeBack()
        try next.forget()
        #expect(text(host.path("/etc/old.conf")) == "theirs\n")
        #expect(!host.exists("/etc/new.conf"))
        #expect(!host.exists(host.stateFolder))
      }
    }
  }

  @Test("of the old format a cut line is forgiven where a kill leaves one, and no other")
  func oldDamage() throws {
    let good = Self.old.dropLast()
    // The next line stands directly below a cut one.
    for cut in [good + [#"{"kind":"note","pa"#], [good[0], "{\"kind\":\"no\n" + good[1], ""]] {
      try withOldJournal(cut) { host, _ in
        let journal = try Journal(.extract, on: host)
        #expect(journal.entries.map(\.path) == ["/etc/old.conf", "package"])
      }
    }
    for damaged in [
      [good[0].replacing("kind", with: "kinX"), good[1], ""],
      [good[0], good[1].replacing("kind", with: "kinX"), ""],
      [good[0], String(good[1].dropLast()), good[1], ""], [good[0], String(good[1].dropLast()) + "|", ""],
    ] {
      try withOldJournal(damaged) { host, file in
        let now = try content(of: host.root)
        let error = #expect(throws: StepError.self, "\(damaged)") { try Journal(.extract, on: host) }
        #expect(error?.detail.contains("\(file.path)") == true)
        #expect(try content(of: host.root) == now)
      }
    }
  }
}
