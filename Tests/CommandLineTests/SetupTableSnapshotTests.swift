import ArgumentParser
import CommandSupport
import Console
import Snapshot
import Testing

@testable import TargetSetup
@testable import TargetSetupCommands

/// The tables of target-setup.
@Suite struct SetupTableSnapshotTests {
  private let recording = RecordingConsole()

  private func expectSnapshot(_ name: String) throws {
    let difference = try Snapshot.difference(recording.text, name)
    #expect(difference == nil, "\(difference ?? "")")
  }

  @Test func steps() throws {
    let reports = [
      StepReport(step: .verify, outcome: .done, detail: "412 files read, 2.1 GB", duration: .seconds(9)),
      StepReport(
        step: .containerd, outcome: .already, detail: "containerd 2.2.1 runs", duration: .milliseconds(40)),
      StepReport(
        step: .nginx,
        problems: [
          Problem(
            StepError("port 80, which nginx is to listen on, is taken by apache2", .port(service: "nginx")),
            about: "nginx")
        ], duration: .seconds(1)),
      StepReport(
        step: .loadPush, outcome: .blocked, detail: "not started, because step registry failed",
        duration: .zero),
    ]
    let output = try OutputOptions.parse([])
    #expect(throws: ExitCode.self) { try show(reports, recording.console, output) }
    try expectSnapshot("steps")
  }

  @Test func status() throws {
    StatusCommand.show(
      [
        StepStatus(step: .containerd, state: "done", detail: "containerd 2.2.1 runs", isUndoable: true),
        StepStatus(
          step: .extract, state: "to do", detail: "kubespray 2.30.0 is to be extracted", isUndoable: false),
      ],
      [
        .init(name: "files", address: "http://10.0.0.5/files", answers: true),
        .init(name: "registry", address: "10.0.0.5:35000", answers: false),
      ], recording.console)
    try expectSnapshot("status")
  }

  @Test func certificates() throws {
    CertificateCommand.show(
      AccessReport(
        certificates: [
          .init(
            role: "servers", file: "/etc/kubespray-offline/access/server.crt",
            expires: "2036-11-26T00:00:00Z",
            daysLeft: 3649, fingerprint: "AA:BB", names: ["10.0.0.5", "localhost"]),
          .init(
            role: "authority", file: "/etc/kubespray-offline/access/ca.crt", expires: "2056-11-21T00:00:00Z",
            daysLeft: 10949, fingerprint: "CC:DD", names: []),
        ], wantsLogin: true, warning: "the certificate is to be made: target-setup certificate --renew"),
      recording.console)
    try expectSnapshot("certificates")
  }
}
