import ArgumentParser
import CommandSupport
import Console
import DownloadAll
import Files
import Integrity
import Settings
import Supply
import SystemPackage

/// Spreads a bundle, or a delta, over several media.
struct MediaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "media",
    abstract: "Spread the bundle, or a delta, over several sticks, DVDs or files of a release.",
    discussion: """
      Each medium describes the whole set and itself. Files stay whole where they
      fit; one that is larger than a medium is cut. Nothing is larger than FAT can
      keep. After it was written, a medium is read back and compared.

        download-all media --size 4G --to /media/a --to /media/b
        download-all media --size 4G --part 2 --to /media/usb    the second alone
        download-all media --size 2147483647 --to assets         assets/part-1 ...

      The same bundle and size give the same media, so one that was lost can be
      made again alone. On the other side "target-setup join" takes them in any
      order and sitting.
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Option(
    help: .init(
      "The room on each medium: bytes, or a number with K, M, G, T (1000) or Ki, Mi, Gi, Ti (1024).",
      valueName: "size"))
  var size: String

  @Option(
    help: .init(
      "The folder of a delta, or of another bundle; by default the bundle of --outputs.", valueName: "dir"),
    completion: .directory)
  var from: String?

  @Option(
    help: .init(
      "Where the media are, one after the other; with a single one, folders part-1 ... are made in it. May be repeated.",
      valueName: "dir"), completion: .directory)
  var to: [String] = []

  @Option(
    help: .init("Write only the medium of this number, to the folder of --to itself.", valueName: "number"))
  var part: Int?

  @Flag(name: [.customShort("n"), .long], help: "Show how many media there would be; write nothing.")
  var dryRun = false

  func validate() throws {
    guard MediaSize(size) != nil else {
      throw ValidationError(
        "\"\(size)\" is not a size: give a number of bytes, or one such as 700M, 4.7G or 2Gi")
    }
    guard dryRun || !to.isEmpty else { throw ValidationError("name a folder for each medium: --to DIR") }
    guard part == nil || to.count == 1 else {
      throw ValidationError("--part writes one medium: name one folder with --to")
    }
  }

  func run() async throws {
    let configuration = try settings.resolve()
    let console = output.console()
    let source = from.map { FilePath($0) } ?? configuration.outputs
    let capacity = MediaSize(size)?.bytes ?? 0
    let plan = try MediaPlan(try MediaContent(source), capacity: capacity)
    if dryRun { return try show(plan, console) }
    let media = try places(plan)
    let events = output.events(console)
    let reports = try await Interruption.watching(console) {
      try await withTicking(console) { try await MediaRun.write(plan, media, emit: events) }
    }
    if output.json { return try printJSON(reports) }
    console.table(
      ["PART", "FOLDER", "FILES", "SIZE"],
      reports.map { ["\($0.part)", $0.folder, "\($0.items)", ByteCount.format($0.bytes)] },
      rightAligned: [0, 2, 3])
    let bundle = plan.set.bundle
    let all = counted(plan.set.parts, "medium of \(bundle) is", "media of \(bundle) are")
    console.finish(
      "\(reports.count) of \(all) written and read back. On the other side: "
        + "target-setup join MEDIA... --into DIR")
  }

  private func places(_ plan: MediaPlan) throws -> [MediaRun.Medium] {
    let folders = to.map { FilePath($0) }
    if let part { return [.init(part: part, folder: folders[0])] }
    if folders.count == 1, plan.set.parts > 1 {
      return (1...plan.set.parts).map { .init(part: $0, folder: folders[0].appending("part-\($0)")) }
    }
    guard folders.count >= plan.set.parts else {
      throw MediaError.tooFewFolders(needed: plan.set.parts, named: folders.count)
    }
    return (1...plan.set.parts).map { .init(part: $0, folder: folders[$0 - 1]) }
  }

  private func show(_ plan: MediaPlan, _ console: Console) throws {
    if output.json { return try printJSON(plan.set) }
    console.table(
      ["PART", "SIZE"], (1...plan.set.parts).map { ["\($0)", ByteCount.format(plan.bytes(of: $0))] },
      rightAligned: [0, 1])
    console.finish("\(counted(plan.set.parts, "medium", "media")) for \(plan.set.bundle)")
  }
}

/// A size as people write it on the command line.
struct MediaSize {
  let bytes: Int64

  /// `nil` for what is not a size.
  init?(_ text: String) {
    let number = text.prefix { $0.isNumber || $0 == "." }
    let powers: [String: Double] = [
      "": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "ki": 1024, "mi": 1_048_576, "gi": 1_073_741_824,
      "ti": 1_099_511_627_776,
    ]
    var unit = text.dropFirst(number.count).lowercased()
    if unit.hasSuffix("b") { unit.removeLast() }
    if unit.isEmpty, let exact = Int64(number), ByteSize.range.contains(exact) {
      bytes = exact
      return
    }
    guard let value = Double(number), let power = powers[unit],
      let checked = ByteSize.checked(Int64(exactly: (value * power).rounded(.down)))
    else { return nil }
    bytes = checked
  }
}
