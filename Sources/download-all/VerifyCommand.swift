import ArgumentParser
import Bundle
import CommandSupport
import Console
import DownloadAll
import Settings
import SystemPackage

/// Reads a bundle again.
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Read every file of the bundle and compare it with the manifest.",
    discussion: "Names each file that is damaged, missing or unexpected. Exit status 1 if there is any.")

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    let configuration = try settings.resolve()
    let console = output.console()
    let events = output.events(console)
    let result = try await Interruption.watching(console) {
      try await withTicking(console) {
        try await VerifyRun.run(outputs: configuration.outputs, emit: events)
      }
    }
    if output.json {
      try printJSON(result)
    } else if !result.problems.isEmpty {
      console.table(["FILE", "PROBLEM", "DETAIL"], result.problems.map { [$0.path, $0.kind, $0.detail] })
    }
    if result.problems.isEmpty {
      if !output.json {
        console.finish(
          "\(configuration.outputs) is intact: \(result.files) files, \(ByteCount.format(result.bytes)).")
      }
      return
    }
    if !output.json {
      console.finish(
        "\(result.problems.count) problems in \(configuration.outputs). Run download-all again to repair it.")
    }
    throw ExitCode(.failed)
  }
}
