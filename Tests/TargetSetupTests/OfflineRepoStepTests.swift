import Foundation
import Host
import Synchronization
import SystemPackage
import TestServer
import TestSupport
import Testing

@testable import TargetSetup

@Suite("Step offline-repo")
struct OfflineRepoStepTests {
  /// A host with sources of its own, a bundle and its web server.
  private func withHost(
    _ runner: @escaping CommandRunner = { _, _ in CommandResult(status: 0) }, hasIndex: Bool = true,
    _ body: (SetupContext) async throws -> Void
  ) async throws {
    let server = try TestServer()
    defer { server.stop() }
    if hasIndex { server.serve("/pypi/", Array("<html></html>".utf8)) }
    try await withFolder { folder in
      let root = folder.appending("root")
      let bundle = folder.appending("bundle")
      try put("deb http://deb.example.com bookworm main\n", at: root.appending("etc/apt/sources.list"))
      let lists = root.appending("etc/apt/sources.list.d")
      try put("deb http://third.example.com x main\n", at: lists.appending("third.list"))
      #expect(chmod(lists.appending("third.list").string, 0o640) == 0)
      try put("Types: deb\n", at: lists.appending("four.sources"))
      try put("not a source\n", at: lists.appending("notes.txt"))
      try put("[global]\n", at: root.appending("etc/pip.conf"))
      try FileManager.default.createSymbolicLink(
        atPath: lists.appending("link.list").string, withDestinationPath: "/nowhere")
      try putRepository("debs/local", in: bundle)
      try put("", at: bundle.appending("pypi/index.html"))
      try await body(context(root: root, bundle: bundle, server: server.baseURL, runner: runner))
    }
  }

  @Test("all other sources are put aside, a second run does nothing, and undo gives back what was there")
  func journey() async throws {
    try await withHost { context in
      let before = try content(of: context.host.root)
      let run = SetupRun(context)
      let first = try await run.execute([.offlineRepo])
      #expect(first.map(\.outcome) == [.done], "\(first)")
      let lists = context.host.root.appending("etc/apt/sources.list.d")
      let names = try FileManager.default.contentsOfDirectory(atPath: lists.string).sorted()
      #expect(names == ["kubespray-offline.sources", "notes.txt"])
      #expect(text(context.host.root.appending("etc/apt/sources.list")) == nil)
      #expect(
        text(lists.appending("kubespray-offline.sources"))?
          .contains("URIs: \(context.addresses.packageServer)/debs/local/\n") == true)
      #expect(
        text(context.host.root.appending("etc/pip.conf"))?.contains(
          "\(context.addresses.packageServer)/pypi/") == true)
      let second = try await run.execute([.offlineRepo])
      #expect(second.map(\.outcome) == [.already])
      // A package of somebody brings its list again.
      try put("deb http://fifth.example.com x main\n", at: lists.appending("fifth.list"))
      #expect(try await run.status([.offlineRepo]).first?.state == "to do")
      #expect(try await run.execute([.offlineRepo]).map(\.outcome) == [.done])
      #expect(text(lists.appending("fifth.list")) == nil)

      #expect(try await run.undo([.offlineRepo]).map(\.outcome) == [.done])
      var expected = before
      expected["etc/apt/sources.list.d/fifth.list"] = "644 deb http://fifth.example.com x main\n"
      var after = try content(of: context.host.root)
      // The state folder, those above it, and the lock.
      after = after.filter { !$0.key.hasPrefix("var") && !$0.key.hasPrefix("run") }
      #expect(after == expected)
    }
  }

  @Test("a host that cannot use the repository keeps its sources")
  func refused() async throws {
    let asked = Mutex<[String]>([])
    let runner: CommandRunner = { command, _ in
      asked.withLock { $0.append(command.executable) }
      return CommandResult(status: 100, standardError: "E: The repository does not have a Release file.\n")
    }
    try await withHost(runner) { context in
      let before = try content(of: context.host.root.appending("etc"))
      let reports = try await SetupRun(context).execute([.offlineRepo])
      #expect(reports.map(\.outcome) == [.failed])
      #expect(reports.first?.detail.contains("E: The repository does not have a Release file.") == true)
      #expect(reports.first?.detail.contains("target-setup nginx") == true)
      #expect(asked.withLock { $0 } == ["apt-get"])
      #expect(try content(of: context.host.root.appending("etc")) == before)
    }
  }

  @Test("a web server that has no index of Python packages is not taken for the bundle's")
  func noIndex() async throws {
    try await withHost(hasIndex: false) { context in
      let before = try content(of: context.host.root.appending("etc"))
      let report = try #require(try await SetupRun(context).execute([.offlineRepo]).first)
      #expect(report.outcome == .failed)
      #expect(report.detail.contains("/pypi/ answers 404"), "\(report.detail)")
      #expect(try content(of: context.host.root.appending("etc")) == before)
    }
  }

  @Test("a bundle without packages leaves the host alone")
  func nothing() async throws {
    try await withFolder { folder in
      let reports = try await SetupRun(context(root: folder, bundle: folder)).execute([.offlineRepo])
      #expect(reports.map(\.outcome) == [.notNeeded])
    }
  }
}
