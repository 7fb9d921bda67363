import ArgumentParser
import Bundle
import Console
import DownloadAll
import FoundationEssentials
import SystemPackage

/// Shows what a run would do.
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show what would be fetched, from where, how much, and how it will be verified.",
    discussion: """
      Writes nothing below outputs/. Kubespray's variables are evaluated in the
      cache folder, which takes half a minute the first time.
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Argument(help: .init("Stages; all when none is named.", valueName: "stage"))
  var stages: [String] = []

  func validate() throws { _ = try stages.map(stageArgument) }

  func run() async throws { try await Self.run(try stages.map(stageArgument), settings, output) }

  static func run(_ stages: [StageName], _ settings: SettingOptions, _ output: OutputOptions) async throws {
    let configuration = try settings.resolve()
    let console = output.console()
    let selection = StageTable.selection(stages, configuration)
    let context = try RunContext(
      configuration: configuration, selection: selection, projectRoot: ".", environment: processEnvironment(),
      emit: output.events(console))
    let report = try await Interruption.watching(console) {
      try await withTicking(console) { try await Pipeline(context, selection: selection).report() }
    }
    if output.json { return try printJSON(report) }
    console.table(
      ["FILE", "SIZE", "VERIFIED BY", "STATE", "FROM"],
      report.artifacts.map(row), rightAligned: [1])
    console.finish(summary(of: report, outputs: "\(configuration.outputs)"))
  }

  private static func row(_ item: PlanReport.Item) -> [String] {
    let size = item.size.map { ByteCount.format($0) } ?? "?"
    return [item.path, size, item.verification.summary, item.isWhole ? "whole" : "missing", item.url ?? "-"]
  }

  private static func summary(of report: PlanReport, outputs: String) -> String {
    let unknown = report.artifacts.filter { $0.size == nil }.count
    let total = ByteCount.format(report.totalSize)
    let missing = ByteCount.format(report.missingSize)
    var text = "\(report.artifacts.count) files, \(total), of which \(missing) are to be fetched"
    if unknown > 0 { text += "; the size of \(unknown) is not known" }
    text += ". kubespray \(report.kubespray), \(report.architecture). Nothing was written to \(outputs)."
    return text
  }
}

/// Writes a result as JSON to standard output.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
