import Foundation
import Host
import Synchronization
import SystemPackage
import TestServer
import TestSupport
import Testing

@testable import TargetSetup

/// With a zypper and an rpm that the test plays; `Tests/Packages/zypper` has the real ones.
@Suite("Step offline-repo with zypper")
struct ZypperStepTests {
  /// The keys that the host's rpm knows, and what was asked of the two programs.
  private final class Programs: Sendable {
    private let state = Mutex((known: Set(["gpg-pubkey-of-the-system"]), commands: [String]()))
    var known: Set<String> { state.withLock { $0.known } }
    var commands: [String] { state.withLock { $0.commands } }
    /// What zypper answers to commands with such a word.
    let answers: [String: CommandResult]

    init(_ answers: [String: CommandResult] = [:]) { self.answers = answers }

    func run(_ command: Command) -> CommandResult {
      let isApart = command.arguments.contains("--root") || command.arguments.contains("--dbpath")
      return state.withLock { state in
        state.commands.append(([command.executable] + command.arguments).joined(separator: " "))
        switch command.executable {
        case "rpm" where command.arguments.contains("--query"):
          let names = isApart ? ["gpg-pubkey-of-the-bundle", "gpg-pubkey-of-the-system"] : Array(state.known)
          return CommandResult(status: 0, standardOutput: names.map { "installed \($0)\n" }.joined())
        case "rpm" where command.arguments.contains("--import") && !isApart:
          state.known.insert("gpg-pubkey-of-the-bundle")
        case "rpm" where command.arguments.contains("--erase"):
          state.known.subtract(command.arguments)
        case "zypper":
          return answers.first { command.arguments.contains($0.key) && !isApart }?.value
            ?? CommandResult(status: 0)
        default: break
        }
        return CommandResult(status: 0)
      }
    }
  }

  private func withHost(_ programs: Programs, _ body: (SetupContext) async throws -> Void) async throws {
    let server = try TestServer()
    defer { server.stop() }
    try await withFolder { folder in
      let root = folder.appending("root")
      let bundle = folder.appending("bundle")
      for (file, text) in [
        ("repos.d/oss.repo", "[oss]\nbaseurl=http://x/\n"), ("repos.d/notes.txt", "not a source\n"),
        ("services.d/openSUSE.service", "[openSUSE]\n"), ("zypp.conf", "[main]\n"),
      ] { try put(text, at: root.pushing(FilePath("etc/zypp/\(file)"))) }
      try putRepository("rpms/opensuse-leap-16.0", in: bundle)
      try put("rpm", at: bundle.pushing(FilePath("rpms/opensuse-leap-16.0/leaf-1-1.noarch.rpm")))
      try await body(
        context(
          root: root, bundle: bundle,
          system: "ID=opensuse-leap\nID_LIKE=\"suse opensuse\"\nVERSION_ID=16.0", server: server.baseURL,
          runner: { command, _ in programs.run(command) }))
    }
  }

  @Test("its repositories and services go aside, rpm learns the key, and undo gives back all of it")
  func journey() async throws {
    let programs = Programs()
    try await withHost(programs) { context in
      let zypp = context.host.root.appending("etc")
      let before = try content(of: zypp)
      let run = SetupRun(context)
      let first = try await run.execute([.offlineRepo])
      #expect(first.map(\.outcome) == [.done], "\(first)")
      let files = try content(of: zypp).keys.filter { text(zypp.pushing(FilePath($0))) != nil }
      #expect(
        files.sorted() == [
          "pki/rpm-gpg/kubespray-offline-RPM-GPG-KEY-kubespray-offline",
          "zypp/repos.d/kubespray-offline.repo", "zypp/repos.d/notes.txt", "zypp/zypp.conf",
        ])
      #expect(
        text(zypp.pushing(FilePath("zypp/repos.d/kubespray-offline.repo"))) == """
          # kubespray-offline: packages from the bundle on the admin host.
          [kubespray-offline]
          name=Packages from the bundle on the admin host
          baseurl=\(context.addresses.packageServer)/releases/2.30.0/rpms/opensuse-leap-16.0/
          type=rpm-md
          enabled=1
          autorefresh=1
          priority=50
          gpgcheck=1
          repo_gpgcheck=1
          pkg_gpgcheck=0
          gpgkey=file:///etc/pki/rpm-gpg/kubespray-offline-RPM-GPG-KEY-kubespray-offline
          proxy=_none_

          """)
      #expect(programs.known == ["gpg-pubkey-of-the-system", "gpg-pubkey-of-the-bundle"])
      #expect(programs.commands.last?.hasSuffix("--auto-agree-with-licenses --dry-run leaf") == true)
      #expect(try await run.execute([.offlineRepo]).map(\.outcome) == [.already])
      #expect(try await run.undo([.offlineRepo]).map(\.outcome) == [.done])
      #expect(try content(of: zypp) == before)
      #expect(programs.known == ["gpg-pubkey-of-the-system"])
    }
  }

  @Test(
    "what zypper does not take, the host does not keep",
    arguments: [
      ("refresh", CommandResult(status: 4, standardError: "Signature verification failed"), "Signature"),
      (
        "leaf", CommandResult(status: 4, standardOutput: "Solution 1: remove lock to allow installation"),
        "zypper removelock"
      ),
    ])
  func refused(_ word: String, _ answer: CommandResult, _ said: String) async throws {
    let programs = Programs([word: answer])
    try await withHost(programs) { context in
      let before = try content(of: context.host.root.appending("etc"))
      let report = try #require(try await SetupRun(context).execute([.offlineRepo]).first)
      #expect(report.outcome == .failed && report.detail.contains(said), "\(report.detail)")
      #expect(try content(of: context.host.root.appending("etc")) == before)
      #expect(programs.known == ["gpg-pubkey-of-the-system"])
    }
  }

  @Test("another zypper at work is waited for")
  func locked() async throws {
    let count = Mutex(0)
    let host = TargetHost(
      root: "/", stateFolder: "/x", system: OSRelease.parse("ID=opensuse-leap\nVERSION_ID=16.0"),
      initSystem: .none, interfaces: NetworkInterfaces(routed: nil, addresses: []),
      runner: { _, _ in
        let isFirst = count.withLock { count in
          count += 1
          return count == 1
        }
        return isFirst
          ? CommandResult(
            status: 7,
            standardError: "System management is locked by the application with pid 8 (zypper).\n")
          : CommandResult(status: 0)
      })
    let said = Mutex<[String]>([])
    let packages = HostPackages(host, say: { text in said.withLock { $0.append(text) } }, pause: .zero)
    #expect(try await packages?.result(of: Command("zypper", ["refresh"])).status == 0)
    #expect(said.withLock { $0 }.count == 1 && said.withLock { $0 }[0].contains("pid 8 (zypper)"))
  }
}
