import Bundle
import Diagnosis
import Files
import Host
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// What is wrong with an admin host in a folder, and what has to be said of it.
struct AdminHostFault: Sendable, CustomTestStringConvertible {
  let name: String
  let check: MachineCheck
  let level: Finding.Level
  let tells: String
  let next: String
  var change: @Sendable (inout Configuration) -> Void = { _ in }
  var machine: @Sendable (inout Machine) -> Void = { _ in }
  /// Spoils the host or the bundle.
  let seed: @Sendable (ServiceHost) async throws -> Void

  var testDescription: String { name }
}

private let faults: [AdminHostFault] = [
  AdminHostFault(
    name: "a clock before the bundle", check: .clock, level: .error,
    tells: "the bundle was made at 2026-01-01",
    next: "date --utc --set", machine: { $0.now = 1_600_000_000 }, seed: { _ in }),
  AdminHostFault(
    name: "not root", check: .rights, level: .warning, tells: "not root", next: "sudo target-setup doctor",
    machine: { $0.isRoot = false }, seed: { _ in }),
  AdminHostFault(
    name: "no room for the images", check: .disk, level: .error,
    tells: "/var/lib/registry (registry) has 1.0 MB free",
    next: "df -h",
    machine: {
      $0.space = { _ in FileSystemSpace(availableBytes: 1_000_000, totalBytes: 2_000_000, isReadOnly: false) }
    }, seed: { _ in }),
  AdminHostFault(
    name: "no address", check: .addresses, level: .warning, tells: "no address but loopback",
    next: "target-setup all --address ADDRESS", change: { $0.target.address = nil }, seed: { _ in }),
  AdminHostFault(
    name: "a proxy for the own servers", check: .proxy, level: .warning, tells: "no_proxy lacks 10.0.0.5",
    next: "export no_proxy=10.0.0.5", machine: { $0.environment["https_proxy"] = "http://proxy:3128" },
    seed: { _ in }),
  AdminHostFault(
    name: "served from where it will not stay", check: .fileSystem, level: .warning, tells: "it lies below /",
    next: "target-setup nginx --copy auto", change: { $0.target.copy = .never }, seed: { _ in }),
  AdminHostFault(
    name: "packages for other releases alone", check: .packageSources, level: .error,
    tells: "only for ubuntu-24.04", next: "in packages.targets",
    change: { $0.packages.host = "debian-13" },
    seed: { try putRepository("debs/ubuntu-24.04", in: $0.bundle) }),
  AdminHostFault(
    name: "settings of Docker that nobody can read", check: .clients, level: .error,
    tells: "/etc/docker/daemon.json",
    next: "correct it",
    seed: {
      try put("", at: $0.root.pushing("usr/bin/dockerd"))
      try put("{\"insecure-registries\": [", at: $0.root.pushing("etc/docker/daemon.json"))
    }),
  AdminHostFault(
    name: "what a killed step has left", check: .leftovers, level: .warning, tells: "tmp/nginx",
    next: "target-setup nginx",
    seed: { host in _ = try StagingFolder(for: .nginx, on: host.context().host) }),
  AdminHostFault(
    name: "a journal that is damaged", check: .steps, level: .error, tells: "journal", next: "Put ",
    seed: { host in
      let journal = try Journal(.extract, on: host.context().host)
      try journal.write("/etc/a.conf", "a\n")
      try journal.write("/etc/b.conf", "b\n")
      let file = try Journal(.extract, on: host.context().host).file.path
      try writeAtomically("not a journal\n" + (text(file) ?? ""), to: file)
    }),
  AdminHostFault(
    name: "a step whose work was changed", check: .steps, level: .warning,
    tells: "containerd was done and is not as it was", next: "target-setup containerd",
    seed: { host in
      host.run("containerd.service")
      _ = try await SetupRun(host.context()).execute([.containerd])
      try removeFile(host.root.pushing("usr/local/bin/ctr"))
    }),
]

@Suite struct TargetDoctorTests {
  @Test(arguments: faults)
  func `A fault is found, and what to type is said`(_ fault: AdminHostFault) async throws {
    try await withFolder { folder in
      let host = try ServiceHost(folder)
      try put("ID=debian\nVERSION_ID=12\n", at: host.root.appending("etc").appending("os-release"))
      try await fault.seed(host)
      let context = host.context(fault.change)
      var machine = context.host.machine
      fault.machine(&machine)
      let report = try await TargetDoctor(machine, .success(context)).report()
      let found = report.findings.filter { $0.check == fault.check }
      #expect(
        found.contains {
          $0.level == fault.level && $0.detail.contains(fault.tells) && $0.next?.contains(fault.next) == true
        }, "\(found)")
      #expect(fault.level != .error || report.errors > 0)
    }
  }

  @Test
  func `What keeps the steps from beginning is a finding too, and the machine is looked at all the same`()
    async throws
  {
    try await withFolder { folder in
      let host = try ServiceHost(folder)
      let error = StepError(
        "the bundle in /srv is for linux/arm64, and this machine is amd64", .architecture("amd64"))
      let report = try await TargetDoctor(host.context().host.machine, .failure(error)).report()
      let bundle = try #require(report.findings.first { $0.check == .bundle })
      #expect(bundle.level == .error && bundle.detail.contains("linux/arm64"))
      #expect(bundle.next?.contains("--architecture amd64") == true)
      #expect(report.findings.contains { $0.check == .clock })
    }
  }

  @Test func `A folder without a manifest is no finished bundle`() async throws {
    try await withFolder { folder in
      let host = try ServiceHost(folder)
      let made = host.context()
      let context = SetupContext(
        host: made.host, bundle: ArrivedBundle(host.bundle, manifest: nil), configuration: made.configuration)
      let report = try await TargetDoctor(made.host.machine, .success(context)).report()
      let bundle = try #require(report.findings.first { $0.check == .bundle })
      #expect(bundle.level == .error && bundle.next?.contains("Run download-all to its end") == true)
    }
  }

  @Test func `Another run is named with its process`() async throws {
    try await withFolder { folder in
      let context = try ServiceHost(folder).context()
      let lock = try HostLock(context.host)
      let report = try await TargetDoctor(context.host.machine, .success(context)).report()
      let run = try #require(report.findings.first { $0.check == .run })
      #expect(run.level == .warning && run.next?.contains("tail --pid=") == true)
      withExtendedLifetime(lock) {}
    }
  }

  @Test func `Nothing is changed`() async throws {
    try await withFolder { folder in
      let host = try ServiceHost(folder)
      let context = host.context()
      let before = try content(of: folder)
      _ = try await TargetDoctor(context.host.machine, .success(context)).report()
      #expect(try content(of: folder) == before)
    }
  }
}
