import ArgumentParser
import Bundle
import CommandSupport
import Console
import DownloadAll
import Integrity
import Settings

extension Additions.Kind: ExpressibleByArgument {}

/// Adds to a bundle.
struct AddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Add an image, a package or a file to the bundle that is there.",
    discussion: """
      Only that is fetched; nobody asks Ansible what kubespray wants. Then the bundle
      is closed as by any run: manifest, checksums, indexes and signature. What was
      added stands in the bundle's additions.json, so that the next run keeps it.
      Without a word, it shows what was added; with --remove it takes it out again.

        download-all add image quay.io/team/app:1.2
        download-all add package htop
        download-all add file https://example.com/tool.tgz --sha256 DIGITS
        download-all add --remove image quay.io/team/app:1.2

      Carry it by a delta, or copy the folder; "target-setup all" takes what is new.
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Flag(help: "Take it out again.")
  var remove = false

  @Option(help: .init("The SHA-256 that the file must have, in hexadecimal.", valueName: "digits"))
  var sha256: String?

  @Argument(help: .init("image, package or file.", valueName: "kind"))
  var kind: Additions.Kind?

  @Argument(
    help: .init(
      "The name of the image or package, or the URL of the file; may be repeated.", valueName: "name"))
  var names: [String] = []

  func validate() throws {
    if kind != nil, names.isEmpty { throw ValidationError("name what is to be added") }
    if kind == nil, remove { throw ValidationError("name what is to be taken out: image, package or file") }
    guard let sha256 else { return }
    guard kind == .file, names.count == 1, !remove else {
      throw ValidationError("--sha256 can only be used with one file that is added")
    }
    _ = try Digest(algorithm: .sha256, hex: sha256)
  }

  func run() async throws {
    let configuration = try settings.resolve()
    let console = output.console()
    let releases = try await ReleaseChain.resolved(
      configuration, environment: processEnvironment(), emit: console.emit)
    var hasFailures = false
    for release in releases.configurations {
      guard let kind else {
        try list(release, console)
        continue
      }
      let events = output.console()
      let run = AdditionRun(
        release, installation: Installation.folder, environment: processEnvironment(),
        emit: { events.emit($0) })
      for name in names {
        let digest = try sha256.map { try Digest(algorithm: .sha256, hex: $0) }
        let request: AdditionRun.Request =
          remove ? .remove(kind, name: name) : .add(kind, name: name, sha256: digest)
        let report = try await Interruption.watching(events) {
          try await withTicking(events) { try await run.execute(request) }
        }
        RunCommand.show(report, events, release)
        if report.hasFailures { hasFailures = true }
      }
    }
    if hasFailures { throw ExitCode(.failed) }
  }

  private func list(_ configuration: Configuration, _ console: Console) throws {
    let additions = try Additions(in: configuration.outputs)
    if output.json { return try printJSON(additions) }
    console.table(
      ["ADDED", "NAME", "SHA-256", "FILES"],
      additions.entries.map {
        [
          $0.kind.rawValue, $0.name, $0.sha256.map { String($0.hex.prefix(12)) } ?? "-",
          $0.paths.joined(separator: " "),
        ]
      })
    if additions.entries.isEmpty { console.finish("nothing was added to \(configuration.outputs)") }
  }
}
