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
    packages: String? = nil, _ body: (SetupContext) async throws -> Void
  ) async throws {
    let server = try TestServer()
    defer { server.stop() }
    if hasIndex { server.serve("/releases/2.30.0/pypi/", Array("<html></html>".utf8)) }
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
      if let packages { try put(packages, at: bundle.appending("debs/local/Packages")) }
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
          .contains("URIs: \(context.addresses.packageServer)/releases/2.30.0/debs/local/\n") == true)
      #expect(
        text(context.host.root.appending("etc/pip.conf"))?.contains(
          "\(context.addresses.packageServer)/releases/2.30.0/pypi/") == true)
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
      #expect(asked.withLock { $0 } == ["apt-config", "apt-get"])
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

  private static let packages =
    "Package: needy\nDepends: other\n\nPackage: present\n\nPackage: leaf\nVersion: 1\n"

  /// Answers as apt does on a host with these settings.
  private static func apt(
    _ simulation: CommandResult, sourceParts: String = "/etc/apt/sources.list.d/",
    list: String = "/etc/apt/sources.list",
    failsFrom first: Int = 1
  ) -> CommandRunner {
    let count = Mutex(0)
    return { command, _ in
      switch command.executable {
      case "apt-config":
        return CommandResult(status: 0, standardOutput: "LIST='\(list)'\nPARTS='\(sourceParts)'\n")
      case "dpkg-query": return CommandResult(status: 0, standardOutput: "installed present\n")
      case "apt-get" where command.arguments.contains("--simulate"):
        #expect(command.arguments.last == "leaf")
        let number = count.withLock { count in
          count += 1
          return count
        }
        return number >= first ? simulation : CommandResult(status: 0)
      default: return CommandResult(status: 0)
      }
    }
  }

  @Test(
    "settings of the host that keep apt from installing are named before anything is changed",
    arguments: [
      (
        "etc/apt/apt.conf.d/99local", "APT::Default-Release \"stable\";\n",
        "E: The value 'stable' is invalid for APT::Default-Release as such a release is not available in the sources\n"
      ),
      (
        "etc/apt/preferences.d/none", "Package: *\nPin: release *\nPin-Priority: -1\n",
        "E: Package 'leaf' has no installation candidate\n"
      ),
    ])
  func settingsInTheWay(_ file: String, _ text: String, _ said: String) async throws {
    let refusal = CommandResult(status: 100, standardError: said)
    for first in [1, 2] {
      try await withHost(Self.apt(refusal, failsFrom: first), packages: Self.packages) { context in
        try put(text, at: context.host.root.appending(FilePath(file).components))
        let before = try content(of: context.host.root.appending("etc"))
        let report = try #require(try await SetupRun(context).execute([.offlineRepo]).first)
        #expect(report.outcome == .failed)
        #expect(report.detail.contains("/\(file)"), "\(report.detail)")
        // After the last proof too the host has what it had.
        #expect(try content(of: context.host.root.appending("etc")) == before, "\(first)")
      }
    }
  }

  @Test("a second set-up whose last proof fails leaves the sources of the first")
  func secondFails() async throws {
    let refusal = CommandResult(
      status: 100, standardError: "E: Package 'leaf' has no installation candidate\n")
    // Each run asks twice: before anything is changed, and at its end.
    let runner = Self.apt(refusal, failsFrom: 4)
    try await withHost(runner, packages: Self.packages) { first in
      #expect(try await SetupRun(first).execute([.offlineRepo]).map(\.outcome) == [.done])
      let root = first.host.root
      let lists = root.appending("etc/apt/sources.list.d")
      try put("deb http://fifth.example.com x main\n", at: lists.appending("fifth.list"))
      let before = try content(of: root.appending("etc"))
      let moved = try TestServer()
      defer { moved.stop() }
      moved.serve("/pypi/", Array("<html></html>".utf8))
      let bundle = root.removingLastComponent().appending("bundle")
      let second = context(root: root, bundle: bundle, server: moved.baseURL, runner: runner)
      #expect(try await SetupRun(second).execute([.offlineRepo]).map(\.outcome) == [.failed])
      #expect(try content(of: root.appending("etc")) == before)
      #expect(try await SetupRun(first).undo([.offlineRepo]).map(\.outcome) == [.done])
      #expect(text(root.appending("etc/apt/sources.list")) == "deb http://deb.example.com bookworm main\n")
    }
  }

  @Test("sources that apt is told to read elsewhere: a list is put aside, a folder is refused")
  func otherSources() async throws {
    try await withHost(Self.apt(CommandResult(status: 0), list: "/etc/apt/mine.list")) { context in
      let list = context.host.root.appending("etc/apt/mine.list")
      try put("deb http://mine.example.com x main\n", at: list)
      #expect(try await SetupRun(context).execute([.offlineRepo]).map(\.outcome) == [.done])
      #expect(text(list) == nil)
      #expect(try await SetupRun(context).undo([.offlineRepo]).map(\.outcome) == [.done])
      #expect(text(list) != nil)
    }
    try await withHost(Self.apt(CommandResult(status: 0), sourceParts: "/etc/apt/other.d/")) { context in
      let before = try content(of: context.host.root.appending("etc"))
      let report = try #require(try await SetupRun(context).execute([.offlineRepo]).first)
      #expect(report.outcome == .failed && report.detail.contains("/etc/apt/other.d"), "\(report.detail)")
      #expect(try content(of: context.host.root.appending("etc")) == before)
    }
  }

  @Test("settings of pip that win over those for all users are named")
  func rivals() throws {
    let folder = try TemporaryFolder()
    let root = folder.path
    try put(
      "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n", at: root.appending("etc/passwd"))
    try put("[global]\nindex_url : http://10.9.9.9/simple\n", at: root.appending("root/.config/pip/pip.conf"))
    try put(
      "[install]\nextra-index-url = http://x\ntimeout = 3\n", at: root.appending("home/ann/.pip/pip.conf"))
    try put(
      "[global]\nindex-url = http://10.0.0.5/pypi/\n", at: root.appending("home/ann/.config/pip/pip.conf"))
    try put("[global]\nindex-url = http://y\nfind-links = /z\n", at: root.appending("etc/xdg/pip/pip.conf"))
    try put("LANG=C\nPIP_INDEX_URL=http://z\n", at: root.appending("etc/environment"))
    let found = PipClient(server: "http://10.0.0.5").rivals(on: context(root: root, bundle: root).host)
    #expect(found.count == 4, "\(found)")
    for place in [
      "/root/.config/pip/pip.conf sets index-url", "/home/ann/.pip/pip.conf", "find-links",
      "/etc/environment",
    ] {
      #expect(found.contains { $0.contains(place) }, "\(place)")
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
