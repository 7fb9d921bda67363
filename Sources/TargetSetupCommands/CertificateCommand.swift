import ArgumentParser
import CommandSupport
import Console
import TargetSetup

/// Shows the certificates of the servers, and makes new ones.
struct CertificateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certificate",
    abstract: "Show the certificates of the web server and the registry, or make new ones.",
    discussion: """
      Without an option nothing is changed. --renew makes a new certificate, signed
      by the same authority, so that the nodes need not hear of it; the services
      that use it are started again. A set-up does the same by itself when the
      certificate has less than a year left, or an address of this host is new.

      --new-authority makes a new authority too. No node believes it before the
      playbook offline-repo.yml and kubespray have run on all of them.
      """)

  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Flag(help: "Make a new certificate, signed by the same authority.")
  var renew = false

  @Flag(help: "Make a new authority and a new certificate.")
  var newAuthority = false

  func run() async throws {
    let console = output.console()
    if renew || newAuthority {
      try requireRoot("target-setup certificate \(newAuthority ? "--new-authority" : "--renew")")
      let context = try options.context(console)
      try await apply(AccessChange(context).renewCertificate(withAuthority: newAuthority), context, console)
    }
    let report = try AccessReport(options.context(console, output.events(console)))
    if output.json { return try printJSON(report) }
    Self.show(report, console)
    if report.certificates.isEmpty {
      return console.finish("the servers of this host have no certificate")
    }
    console.finish(
      newAuthority ? "now run the playbooks offline-repo.yml and cluster.yml, so that the nodes know it" : nil
    )
  }

  /// Shows the certificates for people.
  static func show(_ report: AccessReport, _ console: Console) {
    if let warning = report.warning { console.emit(.message(.warning, warning, stage: nil)) }
    guard !report.certificates.isEmpty else { return }
    console.table(
      ["CERTIFICATE", "EXPIRES", "DAYS", "FOR"],
      report.certificates.map {
        [$0.role, $0.expires, "\($0.daysLeft)", $0.names.isEmpty ? "-" : $0.names.joined(separator: ", ")]
      }, rightAligned: [2])
    console.table(["SHA-256", "OF"], report.certificates.map { [$0.fingerprint, $0.file] })
  }
}

/// Lets steps take on what has changed.
func apply(_ steps: [StepName], _ context: SetupContext, _ console: Console) async throws {
  guard !steps.isEmpty else { return }
  let reports = try await Interruption.watching(console) {
    try await withTicking(console) { try await SetupRun(context).execute(steps) }
  }
  for report in reports {
    for problem in report.problems { console.emit(.problem(problem, stage: report.step.rawValue)) }
  }
  guard reports.allSatisfy({ $0.outcome != .failed && $0.outcome != .blocked }) else {
    throw ExitCode(.failed)
  }
}
