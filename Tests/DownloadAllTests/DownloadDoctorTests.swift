import Bundle
import Diagnosis
import Files
import Host
import Settings
import SystemPackage
import TestServer
import TestSupport
import Testing
import Transfer

@testable import DownloadAll

/// What is wrong with the machine that makes a bundle, as a whole; what is wrong in its parts, the tests of `Diagnosis` have.
@Suite struct DownloadDoctorTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func report(
    lacking: [String] = [], mirror: String? = nil, now: Int64 = secondsSince1970(),
    _ change: (inout Configuration) -> Void = { _ in }
  ) async throws -> MachineReport {
    let job = fixture.job([], precheck: true) { configuration in
      for host in ["github.com", "dl.k8s.io", "registry.k8s.io", "registry-1.docker.io", "quay.io"] {
        configuration.mirrors[host] = mirror ?? fixture.server.baseURL
      }
      change(&configuration)
    }
    var transfer = TransferConfiguration(job.configuration, environment: [:])
    transfer.retries = 0
    let remote = RemoteFiles(engine: try TransferEngine(transfer), mirrors: job.configuration.mirrors)
    var machine = Machine.current(["LANG": "C.UTF-8"])
    machine.now = now
    return try await DownloadDoctor(
      job, machine, ask: { await remote.files($0) }, lacking: { lacking }
    ).report()
  }

  private func expect(
    _ report: MachineReport, _ check: MachineCheck, _ level: Finding.Level, _ tells: String, _ next: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = report.findings.filter { $0.check == check }
    #expect(
      found.contains { $0.level == level && $0.detail.contains(tells) && $0.next?.contains(next) == true },
      "\(found)", sourceLocation: sourceLocation)
  }

  @Test func `Hosts that do not answer are named once, with the reason`() async throws {
    // Nobody listens there, and no test gets that port.
    let report = try await report(mirror: "http://127.0.0.1:9")
    expect(
      report, .hosts, .error,
      "dl.k8s.io, github.com, quay.io, registry-1.docker.io, registry.k8s.io cannot be reached",
      "Check the network, firewall and proxy")
    #expect(report.findings.count { $0.check == .hosts } == 1)
  }

  @Test func `Hosts that answer are well, whatever they answer`() async throws {
    let report = try await report()
    #expect(
      report.findings.contains { $0.check == .hosts && $0.level == .ok && $0.detail == "5 of 5 answer" })
  }

  @Test func `Programs that are lacking are named with the command that installs them`() async throws {
    let report = try await report(lacking: ["git", "xz-utils"])
    expect(report, .programs, .warning, "git xz-utils", "install git xz-utils")
    let refused = try await self.report(lacking: ["git"]) { $0.packages.install = false }
    expect(refused, .programs, .error, "packages.install is false", "install git")
  }

  @Test func `A folder that cannot be made is named with the flag that chooses another`() async throws {
    try put("a file\n", at: fixture.root.appending("file"))
    let report = try await report { $0.outputs = fixture.root.appending("file").appending("outputs") }
    expect(report, .disk, .error, "outputs (the bundle) cannot be made or written", "--outputs DIR")
  }

  @Test func `A release whose packages nobody can collect is named`() async throws {
    let report = try await report { $0.packages.targets = ["debian-7"] }
    expect(report, .packageSources, .error, "debian-7", "packages.targets")
  }

  @Test func `What a killed run has left is named with what removes it`() async throws {
    try put("half", at: fixture.outputs.appending("files").appending(".incomplete.kubelet.part"))
    let report = try await report()
    expect(report, .leftovers, .warning, "files/.incomplete.kubelet.part", "download-all clean --keep-cache")
  }

  @Test func `Another run is named with its process`() async throws {
    try createDirectories(fixture.outputs)
    let lock = try FileLock(FilePath(fixture.outputs.string + ".lock"))
    let report = try await report()
    expect(report, .run, .warning, "is working on", "tail --pid=")
    withExtendedLifetime(lock) {}
  }

  @Test func `A clock before the last bundle cannot be right`() async throws {
    try createDirectories(fixture.outputs)
    let manifest = Manifest(
      tool: "test", created: "2026-01-01T00:00:00Z", kubespray: "2.30.0", architecture: "amd64", stages: [],
      files: [])
    try writeAtomically(try manifest.encoded(), to: fixture.outputs.appending(Manifest.fileName))
    let report = try await report(now: 1_600_000_000)
    expect(report, .clock, .error, "was finished at 2026-01-01", "date --utc --set")
  }

  @Test func `Nothing is written`() async throws {
    _ = try await report()
    #expect(try content(of: fixture.root).isEmpty)
  }
}
