import ArgumentParser
import Bundle
import Console
import DownloadAll
import FoundationEssentials

/// Shows what a run would do.
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show what would be fetched, from where, how much, and how it will be verified.",
    discussion: """
      Writes nothing below outputs/. Kubespray's variables are evaluated in the cache folder, which takes half a \
      minute the first time.
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Argument(help: .init("Stages; all when none is named.", valueName: "stage"))
  var stages: [StageName] = []

  func run() async throws { try await Self.run(stages, settings, output) }

  static func run(_ stages: [StageName], _ settings: SettingOptions, _ output: OutputOptions) async throws {
    let configuration = try settings.resolve()
    let console = output.console()
    let selection = StageTable.selection(stages)
    let context = try RunContext(
      configuration: configuration, selection: selection, projectRoot: ".", environment: processEnvironment(),
      emit: output.json ? { _ in } : console.emit)
    let report = try await Interruption.watching(console) {
      try await withTicking(console) { try await Pipeline(context, selection: selection).report() }
    }
    if output.json { return try printJSON(report) }
    console.table(
      ["FILE", "SIZE", "VERIFIED BY", "STATE", "FROM"],
      report.artifacts.map { item in
        [
          item.path, item.size.map(ByteCount.format) ?? "?", item.verification.summary,
          item.isWhole ? "whole" : "missing", item.url ?? "-",
        ]
      }, rightAligned: [1])
    let unknown = report.artifacts.filter { $0.size == nil }.count
    console.finish(
      "\(report.artifacts.count) files, \(ByteCount.format(report.totalSize)), of which "
        + "\(ByteCount.format(report.missingSize)) are to be fetched"
        + (unknown > 0 ? "; the size of \(unknown) is not known" : "") + ". kubespray \(report.kubespray), "
        + "\(report.architecture). Nothing was written to \(configuration.outputs).")
  }
}

/// Writes a result as JSON to standard output.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
