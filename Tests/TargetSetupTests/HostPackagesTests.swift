import Host
import Synchronization
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
