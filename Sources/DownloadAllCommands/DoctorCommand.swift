import ArgumentParser
import CommandSupport
import Console
import DownloadAll
import Settings
import SystemPackage

/// Looks at this machine.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look at this machine for what would stop a run, and say what to do about it.",
    discussion: """
      Looks at the clock, names, addresses, proxy, certificates, whether the usual
      hosts answer, programs that are missing, package sources, disks with their
      file systems and inodes, memory, file mask and what killed runs have left.

      One line for each, then the next commands, those for errors first. Changes
      nothing outside the cache. Exit status 1 when there is an error.
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    let configuration = try settings.resolve()
    let console = output.console()
    let job = Job(configuration, projectRoot: ".", installation: Installation.folder)
    let doctor = try DownloadDoctor(job, environment: processEnvironment())
    let report = try await Interruption.watching(console) { try await doctor.report() }
    try report.show(console, output)
  }
}
