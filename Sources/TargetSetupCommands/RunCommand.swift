import ArgumentParser
import CommandSupport
import Console
import Host
import Synchronization
import SystemPackage
import TargetSetup

/// How steps are done.
struct RunOptions: ParsableArguments {
  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Flag(help: "Do not read the whole bundle again before anything is installed from it.")
  var skipVerify = false

  @Flag(help: "Run steps again even if there is nothing to do.")
  var force = false

  @Option(
    name: .customLong("archive"),
    help: .init(
      "With load-push: push the images of this archive or folder instead of the bundle's: a container-images.tar.gz of "
        + "kubespray's contrib/offline, or what docker, podman, nerdctl, ctr, skopeo or crane saves; may be repeated.",
      valueName: "file"), completion: .file())
  var archives: [String] = []

  @Option(
    name: .customLong("name"),
    help: .init(
      "With one --archive: what its image is called, such as quay.io/team/app:1, if it does not say that itself.",
      valueName: "image"))
  var imageName: String?

  @Option(
    help: .init(
      "With verify: write what is missing or damaged to FILE, for \"download-all delta --heal\" where an intact copy is.",
      valueName: "file"), completion: .file())
  var missing: String?

  @Flag(
    help:
      "With verify: compare sizes only. No content is read: bytes that have become others are not noticed.")
  var quick = false
}

/// Does steps.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run steps: \"all\", or those named (the default command).")

  @OptionGroup var choices: RunOptions

  @Argument(
    help: .init("all, \(StepName.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "step"),
    completion: .steps)
  var steps: [String] = []

  func validate() throws {
    let names = try stepArguments(steps, all: StepName.all)
    if !choices.archives.isEmpty, names != [.loadPush] {
      throw ValidationError(
        "--archive can only be used with the step load-push: target-setup load-push --archive FILE")
    }
    if choices.missing != nil, names != [.verify] {
      throw ValidationError(
        "--missing can only be used with the step verify: target-setup verify --missing FILE")
    }
    if choices.quick, names != [.verify] {
      throw ValidationError(
        "--quick can only be used with the step verify: target-setup verify --quick")
    }
    if let imageName = choices.imageName {
      guard choices.archives.count == 1 else {
        throw ValidationError("--name can only be used with one --archive: the name is that of its image")
      }
      try SetupContext.checkImageName(imageName)
    }
  }

  func run() async throws {
    let planned = try stepArguments(steps, all: StepName.all).filter { !choices.skipVerify || $0 != .verify }
    if planned.contains(where: \.needsRoot) {
      try requireRoot("target-setup \(steps.joined(separator: " "))")
    }
    let console = choices.output.console()
    let said = SaidProblems()
    var context = try choices.options.context(console) { event in
      said.note(event)
      console.emit(event)
    }
    let names = try stepArguments(steps, all: StepName.all(context.configuration)).filter {
      !choices.skipVerify || $0 != .verify
    }
    // Archives of others need no bundle.
    if choices.archives.isEmpty || context.isFromBundle {
      console.emit(.message(context.trust.level, context.trust.summary, stage: nil))
    }
    if context.isFromBundle {
      let text =
        "this program came with the bundle, so it cannot prove itself; verify-bundle, brought on another way, can"
      console.emit(.message(.info, text, stage: nil))
    }
    context.push.archives = choices.archives.map { FilePath($0) }
    // 70 lines of good news would push everything else off the screen.
    if choices.archives.isEmpty, !choices.output.verbose { context.showTable = { _, _ in } }
    context.push.imageName = choices.imageName
    context.isQuick = choices.quick
    context.damageList = choices.missing.map { FilePath($0) }
    let isForced = choices.force
    let run = SetupRun(context)
    let reports = try await Interruption.watching(console) {
      try await withTicking(console) { try await run.execute(names, isForced: isForced) }
    }
    try show(reports, console, choices.output, except: said)
    if !choices.output.json, names.contains(.extract), let next = NextCommands(context) {
      NextCommand.show(next.lines, console)
    }
    let changed = reports.filter { $0.outcome == .done && $0.step != .verify }
    if changed.isEmpty {
      let verified =
        context.bundle.manifest == nil
        ? "this bundle has no manifest; everything that could be checked was checked"
        : choices.quick ? "the files have the right sizes; no content was read" : "the bundle is intact"
      console.finish(names == [.verify] ? verified : "nothing to do")
    } else if changed.contains(where: { [.nginx, .registry, .extract].contains($0.step) }) {
      if let warning = context.addresses.warning { console.emit(.message(.warning, warning, stage: nil)) }
      console.finish(
        "done. The other nodes reach this machine as \(context.addresses.host); target-setup status shows what is served"
      )
    } else {
      console.finish("done")
    }
  }
}

/// Says at once that root is needed, before anything is read or asked.
func requireRoot(_ command: String) throws {
  guard !Privilege.isRoot else { return }
  throw StepError("this changes the machine, so it needs root", .asRoot(command: command))
}

/// The problems that were told when they happened: of an image among many. They are not told again at the end.
final class SaidProblems: Sendable {
  private let sentences = Mutex<Set<String>>([])

  /// Takes note of an event.
  func note(_ event: ConsoleEvent) {
    guard case .itemFinished(_, _, .failed(let problem), _) = event else { return }
    sentences.withLock { _ = $0.insert(problem.sentence) }
  }

  /// Whether a problem was told.
  func has(_ problem: Problem) -> Bool { sentences.withLock { $0.contains(problem.sentence) } }
}

/// Shows how steps went; with failures it ends the program with status 1.
func show(
  _ reports: [StepReport], _ console: Console, _ output: OutputOptions,
  except said: SaidProblems = SaidProblems()
) throws {
  if output.json {
    try printJSON(reports)
  } else {
    console.table(
      ["STEP", "RESULT", "TIME", "DETAIL"],
      reports.map { report in
        let detail = report.outcome == .failed ? "see below" : report.detail
        return [report.step.rawValue, report.outcome.rawValue, DurationText.format(report.duration), detail]
      }, rightAligned: [2])
  }
  let failures = reports.filter { $0.outcome == .failed }
  guard !failures.isEmpty else { return }
  for failure in failures {
    for problem in failure.problems where !said.has(problem) {
      let step = failure.step.rawValue
      console.emit(.problem(problem, stage: problem.subject == step ? nil : step))
    }
  }
  console.finish("What is done is kept; correct the cause and run the same command again.")
  throw ExitCode(.failed)
}
