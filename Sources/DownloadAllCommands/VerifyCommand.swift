import ArgumentParser
import Bundle
import CommandSupport
import Console
import DownloadAll
import Files
import Settings
import SystemPackage

/// Reads a bundle again.
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Read every file of the bundle and compare it with the manifest.",
    discussion: """
      Names each file that is damaged, missing or unexpected. Exit status 1 if
      there is any.

      Whether a file is intact says nothing of who made the bundle: whoever can
      change a file can change the manifest too. That is what signatures are for.
      With --allowed-signers one of those in FILE must have signed the manifest;
      the file is that of ssh-keygen(1), ALLOWED SIGNERS, and must not come with
      the bundle. Without it each signature is shown and must hold, but anybody
      may have made it.
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Option(
    help: .init(
      "Require a signature of someone in FILE, and that the statement has not expired.", valueName: "file"),
    completion: .file())
  var allowedSigners: String?

  @Option(
    help: .init(
      "Write what is missing or damaged to FILE, for \"delta --heal\" where an intact copy is.",
      valueName: "file"),
    completion: .file())
  var missing: String?

  @Flag(
    help:
      "Compare sizes and times only. No content is read: bytes that have become others are not noticed.")
  var quick = false

  func run() async throws {
    var isIntact = true
    for configuration in try ReleaseChain(try settings.resolve()).configurations
    where try await !verify(configuration) {
      isIntact = false
    }
    if !isIntact { throw ExitCode(.failed) }
  }

  /// - Returns: Whether the bundle is intact.
  private func verify(_ configuration: Configuration) async throws -> Bool {
    let console = output.console()
    let events = output.events(console)
    let remembered =
      quick ? VerifiedFiles(configuration.cache.appending(VerifiedFiles.fileName)) : nil
    let (signers, list) = (allowedSigners.map { FilePath($0) }, missing.map { FilePath($0) })
    let result = try await Interruption.watching(console) {
      try await withTicking(console) {
        try await VerifyRun.run(
          outputs: configuration.outputs, allowedSigners: signers, quickly: remembered,
          damageList: list, emit: events)
      }
    }
    if output.json {
      try printJSON(result)
    } else if !result.problems.isEmpty {
      console.table(["FILE", "PROBLEM", "DETAIL"], result.problems.map { [$0.path, $0.kind, $0.detail] })
    }
    if result.problems.isEmpty {
      if !output.json {
        let found = result.contentRead ? "is intact" : "has files of the right sizes (no content was read)"
        console.finish(
          "\(configuration.outputs) \(found): \(counted(result.files, "file")), \(ByteCount.format(result.bytes)); "
            + "\(Self.signatures(result)).")
      }
      return true
    }
    if !output.json {
      console.finish(Self.advice(result, configuration.outputs))
    }
    return false
  }

  private static func signatures(_ result: VerifyRun.Result) -> String {
    guard !result.signatures.isEmpty else { return "it is not signed" }
    let signers = result.signatures.filter { $0.problem == nil }.map { signature in
      (signature.signer.map { "\($0), " } ?? "") + (signature.key ?? "")
    }
    let names = signers.joined(separator: " and ")
    return result.allowedSigners == nil
      ? "signed by \(names) (not checked against anything)" : "signed by \(names)"
  }

  private static func advice(_ result: VerifyRun.Result, _ outputs: FilePath) -> String {
    let isAboutFiles = result.problems.contains { ["damaged", "missing", "unexpected"].contains($0.kind) }
    let advice =
      isAboutFiles
      ? "Run download-all again to repair it."
      : "Do not use it before you know why."
    let problems = counted(result.problems.count, "problem")
    return "\(problems) in \(outputs). \(advice)"
  }
}
