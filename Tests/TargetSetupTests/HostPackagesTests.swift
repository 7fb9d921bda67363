import Host
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

@Suite("Packages of the host") struct HostPackagesTests {
  private static let lock =
    "dpkg: error: dpkg frontend lock was locked by another process with pid 1688\n"
    + "Note: removing the lock file is always wrong, can damage the locked area\n"

  @Test("another package manager at work is waited for, and a person hears of it once")
  func lockIsWaitedFor() async throws {
    let attempts = Mutex(0)
    let said = Mutex<[String]>([])
    try await withFolder { folder in
      let context = context(root: folder, bundle: folder) { command, _ in
        guard command.arguments == ["--configure", "-a"] else { return CommandResult(status: 0) }
        let count = attempts.withLock { count in
          count += 1
          return count
        }
        return count < 4
          ? CommandResult(status: 2, standardError: Self.lock) : CommandResult(status: 0)
      }
      let say: @Sendable (String) -> Void = { text in said.withLock { $0.append(text) } }
      let packages = try #require(HostPackages(context.host, say: say, pause: .zero))
      try await packages.install(["python3"], try Journal(.python, on: context.host))
    }
    #expect(attempts.withLock(\.self) == 4)
    let texts = said.withLock(\.self)
    #expect(texts.count == 1 && texts.allSatisfy { $0.contains("with pid 1688") }, "\(texts)")
  }

  private static let before =
    "Package: theirs\nArchitecture: amd64\nAuto-Installed: 1\n\n"
  private static let ours =
    "Package: libpython3.11\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: zlib\nArchitecture: amd64\n"
    + "Auto-Installed: 1\n\n"

  @Test(
    "what apt has noted of the packages goes with them, also when they are gone already",
    arguments: [before, ""], [true, false])
  func statesGo(_ before: String, _ isInstalled: Bool) async throws {
    try await withFolder { folder in
      let removed = Mutex<[[String]]>([])
      let context = context(root: folder, bundle: folder) { command, _ in
        if command.executable == "dpkg" { removed.withLock { $0.append(command.arguments) } }
        return CommandResult(
          status: 0, standardOutput: isInstalled ? "installed libpython3.11\ninstalled zlib\n" : "")
      }
      let states = folder.appending("var/lib/apt/extended_states")
      try put(before + Self.ours, at: states)
      let journal = try Journal(.python, on: context.host)
      for name in ["libpython3.11", "zlib"] { try journal.note(.package, name) }
      #expect(try await HostPackages.takeBack(journal, on: context.host) == nil)
      let purge = isInstalled ? [["--purge", "libpython3.11", "zlib"]] : []
      #expect(removed.withLock(\.self) == [["--configure", "-a"]] + purge + [["--configure", "-a"]])
      #expect(text(states) == (before.isEmpty ? nil : before))
    }
  }

  @Test("what a killed run's package manager still brings is waited for, and goes, too")
  func orphansPackagesGo() async throws {
    try await withFolder { folder in
      let commands = Mutex<[[String]]>([])
      let context = context(root: folder, bundle: folder) { command, _ in
        let isAtWork = commands.withLock { commands in
          commands.append(command.arguments)
          return commands.count < 3
        }
        guard command.executable == "dpkg" else {
          return CommandResult(status: 0, standardOutput: isAtWork ? "" : "installed libpython3.11\n")
        }
        return isAtWork ? CommandResult(status: 2, standardError: Self.lock) : CommandResult(status: 0)
      }
      let journal = try Journal(.python, on: context.host)
      try journal.note(.package, "libpython3.11")
      #expect(try await HostPackages.takeBack(journal, on: context.host, pause: .zero) == nil)
      #expect(commands.withLock(\.self).contains(["--purge", "libpython3.11"]))
    }
  }

  @Test("what the package manager refuses to remove stays noted")
  func refusedStays() async throws {
    try await withFolder { folder in
      let context = context(root: folder, bundle: folder) { command, _ in
        command.executable == "dpkg"
          ? CommandResult(status: 1, standardError: "dpkg: dependency problems\n")
          : CommandResult(status: 0, standardOutput: "installed libpython3.11\ninstalled zlib\n")
      }
      let states = folder.appending("var/lib/apt/extended_states")
      try put(Self.before + Self.ours, at: states)
      let journal = try Journal(.python, on: context.host)
      for name in ["libpython3.11", "zlib"] { try journal.note(.package, name) }
      #expect(try await HostPackages.takeBack(journal, on: context.host)?.contains("refused") == true)
      #expect(text(states) == Self.before + Self.ours)
    }
  }

  @Test("a Python that works already is not complete as long as its packages are still coming")
  func interrupted() async throws {
    try await withFolder { folder in
      let context = context(root: folder, bundle: folder) { command, _ in
        CommandResult(
          status: 0,
          standardOutput: command.executable == "python3.11"
            ? "3.11.2\n" : "Inst python3.11-venv (3.11.2 local [amd64])\n")
      }
      let journal = try Journal(.python, on: context.host)
      try journal.note(.package, "python3.11")
      guard case .needed = try await PythonStep().check(context, journal) else {
        Issue.record("complete, though a run was killed in the middle")
        return
      }
      let say: @Sendable (String) -> Void = { _ in }
      let packages = try #require(HostPackages(context.host, say: say, pause: .zero))
      try await packages.install(["python3.11-venv"], journal)
      #expect(journal.notes(.package) == ["python3.11", "python3.11-venv"])
      guard case .done = try await PythonStep().check(context, journal) else {
        Issue.record("not complete, though nothing is left to do")
        return
      }
    }
  }

  @Test("what fails for another reason fails at once")
  func otherFailure() async throws {
    try await withFolder { folder in
      let context = context(root: folder, bundle: folder) { _, _ in
        CommandResult(status: 2, standardError: "dpkg: error: the disk is full\n")
      }
      let say: @Sendable (String) -> Void = { _ in }
      let packages = try #require(HostPackages(context.host, say: say, pause: .zero))
      await #expect(throws: PackagesNotInstalled.self) {
        try await packages.install(["python3"], try Journal(.python, on: context.host))
      }
    }
  }
}
