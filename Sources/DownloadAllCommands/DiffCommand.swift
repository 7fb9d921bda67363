import ArgumentParser
import CommandSupport
import Console
import DownloadAll
import Integrity
import Supply
import SystemPackage

/// Shows what a bundle has that the one before it has not.
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Show what was added, removed and changed from one bundle to the next.",
    discussion: """
      By kind and component, with versions and sizes. Only the manifests are read.
      What is made here (indexes, scripts, the program) is summed up; --verbose
      lists it too. To see whether two bundles that should be the same are, use
      "download-all compare".

      Exit status 0, whatever differs.
      """)

  @Argument(
    help: .init("The bundle before: a bundle.json, or the folder that it lies in.", valueName: "old"),
    completion: .file())
  var old: String

  @Argument(help: .init("The bundle after it.", valueName: "new"), completion: .file())
  var new: String

  @OptionGroup(title: "Output") var output: OutputOptions

  func run() throws {
    let difference = try BundleDifference.read(from: FilePath(old), to: FilePath(new))
    if output.json { return try printJSON(difference) }
    Self.show(difference, output.console(), isDetailed: output.verbose)
  }

  /// Shows the difference for people.
  static func show(_ difference: BundleDifference, _ console: Console, isDetailed: Bool) {
    let changes = difference.changes.filter { isDetailed || $0.kind != .other }
    if !changes.isEmpty {
      console.table(
        ["KIND", "COMPONENT", "WHAT", "OLD", "NEW", "SIZE"],
        changes.map { change in
          [
            change.kind.rawValue, change.component, change.what.rawValue, version(change.old),
            version(change.new), ByteCount.format((change.new ?? change.old)?.size ?? 0),
          ]
        }, rightAligned: [5])
    }
    if !difference.totals.isEmpty {
      console.table(
        ["KIND", "ADDED", "REMOVED", "CHANGED", "SAME", "NEW BYTES"],
        difference.totals.map { total in
          [
            total.kind.rawValue, "\(total.added)", "\(total.removed)", "\(total.changed)", "\(total.same)",
            ByteCount.format(total.newBytes),
          ]
        }, rightAligned: [1, 2, 3, 4, 5])
    }
    let bytes = ByteCount.format(difference.totals.byteSum(of: \.newBytes))
    console.finish("from \(difference.old) to \(difference.new): \(bytes) are new")
  }

  private static func version(_ side: BundleDifference.Side?) -> String {
    side.map { $0.version ?? "\($0.sha256.hex.prefix(12))" } ?? "-"
  }
}
