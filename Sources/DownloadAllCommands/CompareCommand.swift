import ArgumentParser
import Bundle
import CommandSupport
import Console
import DownloadAll
import Files
import SystemPackage

/// Compares two manifests.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compare the manifests of two bundles that should be the same.",
    discussion: """
      Two machines that build the same bundle over two networks must get the same
      bytes. What only one of them got, somebody on its way may have changed. Each
      file that differs is listed: its content, who vouches for it, and where it
      came from. The id, the sequence and the times of the manifests are expected
      to differ, and so are the signatures of package repositories, since each
      machine may have made a key for them: what they sign is compared. The files
      themselves are not read: download-all verify does that.

      Exit status 0 if nothing differs, 1 if something does.
      """)

  @Argument(
    help: .init("A bundle.json, or the folder that it lies in.", valueName: "first"), completion: .file())
  var first: String

  @Argument(help: .init("The other one.", valueName: "second"), completion: .file())
  var second: String

  @OptionGroup(title: "Output") var output: OutputOptions

  func run() throws {
    let comparison = try BundleComparison.read(FilePath(first), FilePath(second))
    if output.json {
      try printJSON(comparison)
    } else {
      let console = output.console()
      if !comparison.isEqual {
        console.table(
          ["WHERE", "WHAT", "FIRST", "SECOND"],
          comparison.differences.map { [$0.path, $0.what.rawValue, $0.first ?? "-", $0.second ?? "-"] })
      }
      for key in comparison.keys {
        let fingerprints = "\(key.first ?? "-") and \(key.second ?? "-")"
        console.emit(
          .message(
            .info, "\(key.path) is signed with two keys, \(fingerprints); what they sign was compared",
            stage: nil))
      }
      console.finish(
        comparison.isEqual
          ? "both bundles are the same: \(counted(comparison.files, "file"))"
          : "\(first) and \(second) are not the same; differences: \(comparison.differences.count)")
    }
    if !comparison.isEqual { throw ExitCode(.failed) }
  }
}
