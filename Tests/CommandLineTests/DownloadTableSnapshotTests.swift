import Bundle
import Console
import Settings
import Snapshot
import SystemPackage
import Testing

@testable import DownloadAll
@testable import DownloadAllCommands

/// The tables of download-all.
@Suite struct DownloadTableSnapshotTests {
  private let recording = RecordingConsole()

  private func expectSnapshot(_ name: String) throws {
    let difference = try Snapshot.difference(recording.text, name)
    #expect(difference == nil, "\(difference ?? "")")
  }

  private var configuration: Configuration {
    var configuration = Configuration()
    configuration.outputs = "outputs"
    return configuration
  }

  private func plan() throws -> PlanReport {
    func item(
      _ stage: StageName, _ path: String, _ url: String?, _ size: Int64?, _ verification: Verification,
      _ isIntact: Bool = false
    ) -> PlanReport.Item {
      PlanReport.Item(
        stage: stage, path: path, url: url, size: size, digest: nil, verification: verification,
        isWhole: isIntact)
    }
    return PlanReport(
      install: ["xz-utils"],
      unplanned: [
        .init(
          stage: .images,
          problem: Problem(
            kind: "list", subject: "imagelists/images.txt line 2",
            detail: "\"A B\" is not a valid image reference",
            advice: "Correct the list."), isConsequence: false)
      ],
      kubespray: "2.30.0", architecture: "amd64", platforms: ["linux/amd64"],
      artifacts: [
        item(.repo, "debs/local/pkgs/a_1.deb", "https://deb.example/a_1.deb", 2_000_000, .repositoryMetadata),
        item(
          .repo, "debs/local/pkgs/b_1.deb", "https://deb.example/b_1.deb", 500, .repositoryMetadata, true),
        item(
          .files, "files/kubernetes/v1.34.3/kubelet", "https://dl.k8s.io/kubelet", 56_000_000,
          .kubesprayChecksum),
        item(.files, "files/runc", "https://github.com/runc", nil, .none),
        item(
          .files, "files/kubernetes/etcd/etcd-v3.5.26-linux-amd64.tar.gz", "https://github.com/etcd", 1, .none
        ),
        item(.files, "files/cri-o.amd64.v1.34.4.tar.gz", "https://storage.googleapis.com/cri-o", nil, .none),
        item(
          .images, "images/quay.io_cilium_cilium-v1.18.6.tar.gz", "quay.io/cilium/cilium:v1.18.6", 7,
          .registryDigest),
        item(
          .images, "images/quay.io_calico_node-v3.30.6.tar.gz", "quay.io/calico/node:v3.30.6", nil,
          .registryDigest),
        item(.images, "images/images.list", nil, 90, .generated),
        item(.scripts, "lib/libcurl.so.4", nil, 500_000, .local),
        item(.scripts, "lib/libc.so.6", nil, 2_000_000, .local),
        item(.scripts, "target-setup", nil, 900, .generated),
        item(.scripts, "setup-all.sh", nil, 900, .generated, true),
      ], images: [], warnings: [],
      removed: [
        .init(stage: .files, path: "files/kubernetes/v1.34.2/kubelet"),
        .init(stage: .images, path: "images/docker.io_library_busybox-1.tar.gz"),
      ])
  }

  @Test func aPlan() throws {
    PlanCommand.show(try plan(), recording.console, isDetailed: false, outputs: "outputs")
    try expectSnapshot("plan")
  }

  @Test func aPlanFileByFile() throws {
    PlanCommand.show(try plan(), recording.console, isDetailed: true, outputs: "outputs")
    try expectSnapshot("plan-verbose")
  }

  private func stage(
    _ name: StageName, _ outcome: StageReport.Outcome = .done, items: Int, intact: Int, bytes: Int64 = 0
  ) -> StageReport {
    var report = StageReport(name)
    report.outcome = outcome
    report.items = items
    report.skipped = intact
    report.bytes = bytes
    report.duration = .seconds(12)
    report.fetchDuration = .seconds(10)
    return report
  }

  @Test func aRunThatFinished() throws {
    var report = RunReport(stages: [
      stage(.files, items: 25, intact: 13, bytes: 310_000_000),
      stage(.images, items: 22, intact: 22),
    ])
    report.removed = ["files/old"]
    report.contents = .init(kubespray: "2.30.0", files: 47, bytes: 4_100_000_000, setsUpTarget: true)
    report.duration = .seconds(72)
    report.bundle = .complete
    RunCommand.show(report, recording.console, configuration)
    try expectSnapshot("run-finished")
  }

  @Test func aRunThatFailed() throws {
    var files = stage(.files, .failed, items: 25, intact: 13, bytes: 310_000_000)
    files.failures = [
      Problem(
        kind: "not-found", subject: "files/helm",
        detail: "https://get.helm.sh/helm: not found (404) after 3 attempts",
        advice: "Check the version; the file may have been removed upstream."),
      Problem(kind: "other", subject: "files", detail: "Ansible said:\n  no such variable"),
    ]
    RunCommand.show(
      RunReport(stages: [files, stage(.images, .blocked, items: 0, intact: 0)]), recording.console,
      configuration)
    try expectSnapshot("run-failed")
  }
}
