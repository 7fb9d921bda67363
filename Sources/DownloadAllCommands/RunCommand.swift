import ArgumentParser
import Bundle
import CommandSupport
import Console
import DownloadAll
import Files
import Integrity
import Settings
import SystemPackage

/// How stages are run.
struct RunOptions: ParsableArguments {
  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Flag(
    name: [.customShort("n"), .customLong("dry-run")],
    help: "Show what would be fetched, like plan; fetch nothing.")
  var isDryRun = false
}

/// Runs stages.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run stages: all of them, or those named and what they need (the default).")

  @OptionGroup var options: RunOptions

  @Argument(
    help: .init("Stages: \(StageName.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "stage"),
    completion: .stages)
  var stages: [String] = []

  func validate() throws { _ = try stages.map(stageArgument) }

  func run() async throws {
    let stages = try stages.map(stageArgument)
    let (settings, output) = (options.settings, options.output)
    if options.isDryRun { return try await PlanCommand.run(stages, settings, output) }
    let configuration = try settings.resolve()
    let log = RunLog(cache: configuration.cache, arguments: Array(CommandLine.arguments.dropFirst()))
    let console = output.console(log: log?.device)
    var hasFailures = false
    do {
      let releases = try await ReleaseChain.resolved(
        configuration, environment: processEnvironment(), emit: console.emit)
      for release in releases.configurations {
        let report = try await execute(
          stages, release, of: releases, output.console(log: log?.device), log: log?.remark)
        if report.hasFailures { hasFailures = true }
      }
    } catch {
      guard !(error is CancellationError) else { throw error }
      console.finish()
      for problem in Problem.all(error) { log?.write("error: \(problem)\n") }
      if let log { console.emit(.message(.info, log.remark, stage: nil)) }
      throw error
    }
    if hasFailures { throw ExitCode(.failed) }
  }

  /// Runs the stages for one release, and shows how it went.
  private func execute(
    _ stages: [StageName], _ configuration: Configuration, of releases: ReleaseChain, _ console: Console,
    log: String?
  ) async throws -> RunReport {
    var lent: Set<String> = []
    if releases.hasSeveral {
      let name = "kubespray \(configuration.kubespray.version): \(configuration.outputs)"
      console.emit(.message(.info, name, stage: nil))
      if let shared = try releases.share(with: configuration) {
        lent = shared.paths
        let text = "begun with \(counted(lent.count, "file")) of \(shared.from), shared with it on the disk"
        console.emit(.message(.info, text, stage: nil))
      }
    }
    let job = Job(configuration, stages: stages, projectRoot: ".", installation: Installation.folder)
    let pipeline = try Pipeline(job, environment: processEnvironment(), emit: console.emit)
    var report = try await Interruption.watching(console) {
      try await withTicking(console) { try await pipeline.execute() }
    }
    // What only the neighbour needs was never this bundle's.
    report.removed.removeAll(where: lent.contains)
    Self.show(report, console, configuration, log: log)
    return report
  }

  private static func outcome(_ report: RunReport, _ configuration: Configuration) -> String {
    switch report.bundle {
    case .unfinished(let stages):
      let names = stages.map(\.rawValue).joined(separator: " ")
      return
        "done, but \(configuration.outputs) is not a finished bundle. Finish it with: download-all \(names)"
    case .empty: return "done; there is no bundle in \(configuration.outputs) yet"
    case .complete, nil:
      var lines = ["\(configuration.outputs) is complete\(amount(report))"]
      if let proof = report.proof, proof.holds { lines.append(proof.summary) }
      lines.append(signatures(report))
      if report.contents?.setsUpTarget == true {
        lines.append(
          "next: carry \(configuration.outputs) to the admin host, and there: sh ./target-setup all")
      }
      return lines.joined(separator: "\n")
    }
  }

  /// How much there is, and how much of it this run has brought.
  private static func amount(_ report: RunReport) -> String {
    guard let contents = report.contents else { return "" }
    let fetched = report.stages.byteSum(of: \.bytes)
    let new = fetched == 0 ? "nothing had to be fetched" : "\(ByteCount.format(fetched)) fetched"
    return
      ": kubespray \(contents.kubespray), \(counted(contents.files, "file")), \(ByteCount.format(contents.bytes)); \(new), "
      + "in \(DurationText.format(report.duration))"
  }

  private static func signatures(_ report: RunReport) -> String {
    guard report.signers.isEmpty else {
      return "signed by \(report.signers.joined(separator: " and "))"
    }
    return "not signed: a target cannot tell whether it was changed on the way. "
      + "To sign it: download-all sign --key FILE (to make a key: download-all key)"
  }

  /// Shows how a run went: the final table, and what failed.
  ///
  /// - Parameter log: Where there is more to read when something failed.
  static func show(
    _ report: RunReport, _ console: Console, _ configuration: Configuration, log: String? = nil
  ) {
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
        + (log.map { "\n\($0)" } ?? ""))
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
