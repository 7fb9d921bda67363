import ArgumentParser
import Bundle
import CommandSupport
import Console
import DownloadAll
import Files
import FoundationEssentials
import Settings
import SystemPackage

/// Shows what a run would do.
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show what would be fetched, from where, how much, and how it will be verified.",
    discussion: """
      Writes nothing below outputs/ and installs nothing. Kubespray's variables
      are evaluated and the packages resolved in the cache folder, which takes a
      minute the first time. What belongs together is one line; --verbose lists
      every file, --json has all of it.
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Flag(
    help:
      "Prove instead that what is planned is all that kubespray will ask for; report what would be missing."
  )
  var prove = false

  @Argument(help: .init("Stages; all when none is named.", valueName: "stage"), completion: .stages)
  var stages: [String] = []

  func validate() throws { _ = try stages.map(stageArgument) }

  func run() async throws {
    let stages = try stages.map(stageArgument)
    if prove { return try await Self.prove(stages, settings, output) }
    try await Self.run(stages, settings, output)
  }

  /// Proves the plan, before anything is fetched.
  private static func prove(
    _ stages: [StageName], _ settings: SettingOptions, _ output: OutputOptions
  ) async throws {
    let releases = try await ReleaseChain.resolved(
      try settings.resolve(), environment: processEnvironment(), emit: output.events(output.console()))
    var proofs: [ClosureProof] = []
    for configuration in releases.configurations {
      proofs.append(try await proof(stages, configuration, output))
    }
    if output.json { try releases.hasSeveral ? printJSON(proofs) : proofs.first.map(printJSON) }
    if !proofs.allSatisfy(\.holds) { throw ExitCode(.failed) }
  }

  private static func proof(
    _ stages: [StageName], _ configuration: Configuration, _ output: OutputOptions
  ) async throws -> ClosureProof {
    let console = output.console()
    let job = Job(
      configuration, stages: stages + (stages.isEmpty ? [] : [.prove]), projectRoot: ".",
      installation: Installation.folder)
    let planning = try Planning(job, environment: processEnvironment(), emit: output.events(console))
    let proof = try await Interruption.watching(console) {
      try await withTicking(console) { try await planning.prove() }
    }
    if !output.json {
      for remark in proof.remarks { console.emit(.message(.warning, remark, stage: nil)) }
      showMissing(proof, console)
    }
    console.finish(proof.summary)
    return proof
  }

  static func run(_ stages: [StageName], _ settings: SettingOptions, _ output: OutputOptions) async throws {
    let releases = try await ReleaseChain.resolved(
      try settings.resolve(), environment: processEnvironment(), emit: output.events(output.console()))
    var reports: [PlanReport] = []
    for configuration in releases.configurations {
      let console = output.console()
      let job = Job(configuration, stages: stages, projectRoot: ".", installation: Installation.folder)
      let planning = try Planning(job, environment: processEnvironment(), emit: output.events(console))
      let report = try await Interruption.watching(console) {
        try await withTicking(console) { try await planning.report() }
      }
      if output.json {
        for stage in report.unplanned where !stage.isConsequence {
          Terminal.writeError("error: \(stage.problem)\n")
        }
      } else {
        show(
          report, console, isDetailed: output.verbose, outputs: "\(configuration.outputs)", after: reports)
      }
      reports.append(report)
    }
    if output.json { try releases.hasSeveral ? printJSON(reports) : reports.first.map(printJSON) }
    if reports.contains(where: { !$0.unplanned.isEmpty }) { throw ExitCode(.failed) }
  }

  /// Shows the plan for people.
  ///
  /// - Parameter earlier: The plans of the releases before it.
  static func show(
    _ report: PlanReport, _ console: Console, isDetailed: Bool, outputs: String,
    after earlier: [PlanReport] = []
  ) {
    if isDetailed {
      console.table(
        ["FILE", "SIZE", "VERIFIED BY", "CHANGE", "FROM"],
        report.fileRows.map { row in
          [row.path, row.size.map { ByteCount.format($0) } ?? "?", row.verification, row.state, row.origin]
        }, rightAligned: [1])
    } else {
      console.table(
        ["KIND", "WHAT", "FILES", "SIZE", "VERIFIED BY", "CHANGES", "FROM"],
        report.groups.map { group in
          [
            group.kind, group.name, "\(group.count)", size(of: group), group.verification, group.changes,
            group.origin,
          ]
        }, rightAligned: [2, 3])
    }
    for stage in report.unplanned where !stage.isConsequence {
      console.emit(.problem(stage.problem, stage: nil))
    }
    let addition =
      earlier.isEmpty
      ? "" : "\n\(report.kubespray) adds \(report.addition(to: earlier)) to the releases before it."
    console.finish(summary(of: report, outputs: outputs) + addition)
  }

  /// What is known of it, and whether that is all.
  private static func size(of group: PlanReport.Group) -> String {
    if group.count == 0 { return "-" }
    if group.unknown == 0 { return ByteCount.format(group.size) }
    return group.size == 0 ? "?" : "\(ByteCount.format(group.size)) + ?"
  }

  private static func signing(_ report: PlanReport) -> String {
    guard let signer = report.signer else {
      return "The bundle will not be signed: set signing.key, or use download-all sign afterwards"
    }
    return "The bundle will be signed by \(signer)"
  }

  private static func summary(of report: PlanReport, outputs: String) -> String {
    let unknown = report.artifacts.filter { $0.size == nil }.count
    let total = ByteCount.format(report.totalSize)
    let missing = ByteCount.format(report.missingSize)
    var text =
      "kubespray \(report.kubespray) for \(report.platforms.joined(separator: " and ")): "
      + "\(counted(report.artifacts.count, "file")), \(total), of which \(missing) are to be fetched"
    if unknown > 0 { text += "; the size of \(unknown) is not known" }
    if !report.unplanned.isEmpty {
      let stages = report.unplanned.map(\.stage.rawValue).joined(separator: ", ")
      text += "; what these stages want is not known yet: \(stages)"
    }
    if !report.removed.isEmpty { text += "; \(report.removed.count) are no longer needed and go away" }
    if !report.install.isEmpty {
      text += "\nA run installs first: \(report.install.joined(separator: " "))"
    }
    text += "\n" + signing(report) + ". Nothing was written to \(outputs)."
    return text + (report.unplanned.isEmpty ? "\nnext: download-all" : "")
  }
}
