import ArgumentParser
import Bundle
import CommandSupport
import Console
import DownloadAll
import Settings
import SystemPackage

/// Runs stages.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run stages: all of them, or those named and what they need (the default).")

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Flag(
    name: [.customShort("n"), .customLong("dry-run")],
    help: "Show what would be fetched, like plan; fetch nothing.")
  var isDryRun = false

  @Argument(
    help: .init("Stages: \(StageName.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "stage"),
    completion: .stages)
  var stages: [String] = []

  func validate() throws { _ = try stages.map(stageArgument) }

  func run() async throws {
    let stages = try stages.map(stageArgument)
    if isDryRun { return try await PlanCommand.run(stages, settings, output) }
    let releases = try ReleaseChain(try settings.resolve())
    if let gap = releases.gap { output.console().emit(.message(.warning, gap, stage: nil)) }
    var hasFailures = false
    for configuration in releases.configurations where try await !run(stages, configuration, of: releases) {
      hasFailures = true
    }
    if hasFailures { throw ExitCode(.failed) }
  }

  /// - Returns: Whether all of it succeeded.
  private func run(
    _ stages: [StageName], _ configuration: Configuration, of releases: ReleaseChain
  ) async throws -> Bool {
    let console = output.console()
    var lent: Set<String> = []
    if releases.hasSeveral {
      let name = "kubespray \(configuration.kubespray.version): \(configuration.outputs)"
      console.emit(.message(.info, name, stage: nil))
      if let shared = try releases.share(with: configuration) {
        lent = shared.paths
        console.emit(
          .message(
            .info, "begun with the \(lent.count) files of \(shared.from), which are on the disk once",
            stage: nil))
      }
    }
    let job = Job(configuration, stages: stages, projectRoot: ".", installation: Installation.folder)
    let pipeline = try Pipeline(job, environment: processEnvironment(), emit: console.emit)
    var report = try await Interruption.watching(console) {
      try await withTicking(console) { try await pipeline.execute() }
    }
    // What only the neighbour needs was never this bundle's.
    report.removed.removeAll(where: lent.contains)
    Self.show(report, console, configuration)
    return !report.hasFailures
  }

  private static func outcome(_ report: RunReport, _ configuration: Configuration) -> String {
    switch report.bundle {
    case .unfinished(let stages):
      let names = stages.map(\.rawValue).joined(separator: " ")
      return
        "done, but \(configuration.outputs) is not a finished bundle. Finish it with: download-all \(names)"
    case .empty: return "done; there is no bundle in \(configuration.outputs) yet"
    case .complete, nil:
      let proof = report.proof.map { $0.holds ? ", and \($0.summary)" : "" } ?? ""
      return "\(configuration.outputs) is complete\(proof). \(signatures(report)) "
        + "Check it on arrival with: download-all verify"
    }
  }

  private static func signatures(_ report: RunReport) -> String {
    guard report.signers.isEmpty else {
      return "It is signed by \(report.signers.joined(separator: " and "))."
    }
    return "It is not signed: a target cannot tell whether it was changed on the way. "
      + "To sign it: download-all sign --key FILE (to make a key: download-all key)."
  }

  /// Shows how a run went: the final table, and what failed.
  static func show(_ report: RunReport, _ console: Console, _ configuration: Configuration) {
    for path in report.removed {
      console.emit(.message(.info, "removed \(path): the bundle no longer needs it", stage: nil))
    }
    console.table(
      ["STAGE", "RESULT", "FILES", "INTACT", "FETCHED", "RATE", "TIME", "FAILED"],
      report.stages.map { stage in
        let seconds = stage.fetchDuration.seconds
        return [
          stage.stage.rawValue, stage.outcome.rawValue, "\(stage.items)", "\(stage.skipped)",
          ByteCount.format(stage.bytes),
          stage.bytes > 0 && seconds > 0
            ? ByteCount.format(bytesPerSecond: Double(stage.bytes) / seconds) : "-",
          DurationText.format(stage.duration), "\(stage.failures.count)",
        ]
      }, rightAligned: [2, 3, 4, 5, 6, 7])
    if let proof = report.proof { showMissing(proof, console) }
    if let signed = report.upstreamSignatures {
      console.emit(.message(.info, signed, stage: StageName.images.rawValue))
    }
    guard report.hasFailures else {
      return console.finish(outcome(report, configuration))
    }
    if let proof = report.proof, !proof.holds {
      return console.finish(
        "\(proof.summary). \(configuration.outputs) is complete, but a deployment from it would need more. "
          + "Add what is missing (imagelists/, pkglist/, another inventory), or run the stages by name "
          + "without prove")
    }
    let failures = report.stages.flatMap(\.failures)
    for failure in failures {
      console.emit(.problem(failure, stage: nil))
    }
    console.finish(
      "\(failures.count) failed. What is finished is kept; correct the cause and run the same command again."
    )
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
