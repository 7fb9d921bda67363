import Bundle
import Concurrency
import Console
import Files
import Host
import Settings
import SystemPackage

/// The first phase: finds out what would stop the job. A machine that is not fit stops everything before the first
/// download; a host that does not answer stops the stages that need it; a disk that is too small stops the run as soon
/// as it is known to be.
struct Precheck: Sendable {
  /// How the phase ended.
  struct Outcome: Sendable {
    var report = StageReport(.precheck)
    /// Whether nothing more may be fetched.
    var stopsRun = false
  }

  let job: Job
  let rate: TransferRate
  let events: StageEvents

  /// What makes the run impossible on this machine, whatever the network says. What is merely missing, the stage pkgs
  /// installs.
  func machineProblems() -> [Problem] {
    describeMachine()
    var problems: [Problem] = []
    if job.includes(.repo) {
      do {
        _ = try job.packageTargets()
      } catch {
        problems.append(Problem(error, about: StageName.precheck.rawValue))
      }
    }
    for folder in [job.configuration.outputs, job.configuration.cache] {
      if let problem = writeProblem(folder) { problems.append(problem) }
    }
    if let problem = cacheProblem() { problems.append(problem) }
    return problems
  }

  private func describeMachine() {
    if let system = try? OSRelease.current() {
      events.say(.info, "\(system.prettyName), \(Architecture.current.rawValue)")
    }
    if job.architectures.count > 1 {
      events.say(
        .info,
        "the bundle is for machines of \(job.architectureNames); files lie below their original addresses")
    }
    let proxy = job.configuration.proxy
    for (name, value) in [("http", proxy.http), ("https", proxy.https)] {
      if let value { events.say(.info, "\(name) goes through the proxy \(maskingSecrets(in: value))") }
    }
  }

  private func writeProblem(_ folder: FilePath) -> Problem? {
    do {
      let probe = try createTemporaryFile(in: folder, named: ".write-test")
      try? probe.descriptor.close()
      try removeFile(probe.path)
      return nil
    } catch {
      return Problem(
        kind: "folder-not-writable", subject: "\(folder)",
        detail: "cannot be written: \(FileError.reason(error))",
        advice: "Correct its owner or permissions, or choose another folder.")
    }
  }

  /// The lists of the package clients, the Python environment and the indexes come to some hundred megabytes.
  private func cacheProblem() -> Problem? {
    guard let space = try? FileSystemSpace.at(job.configuration.cache),
      space.availableBytes < SpaceReservations.reserve
    else { return nil }
    return Problem(
      kind: "not-enough-space", subject: "\(job.configuration.cache)",
      detail: "not enough space: \(ByteCount.format(space.availableBytes)) are free",
      advice: "Free space, or choose a larger disk with --cache.")
  }

  /// Follows the stages as they find out what they want, each host and each byte counted as it becomes known.
  ///
  /// A stage that cannot say what it wants reports that itself.
  func follow(_ runner: StageRunner) async -> Outcome {
    var outcome = Outcome()
    var inquiry = Inquiry()
    var told: Set<Problem> = []
    var waiting = Set(runner.stages)
    show(waiting)
    await withTaskGroup(of: (StageName, Result<Inquiry, any Error>).self) { group in
      for stage in runner.stages {
        group.addTask { (stage, await Result { try await runner.inquiry(of: stage) }) }
      }
      for await (stage, result) in group {
        waiting.remove(stage)
        show(waiting)
        switch result {
        case .success(let found): inquiry.add(found)
        case .failure(let error as SilentHosts):
          inquiry.add(error.inquiry)
          for problem in error.inquiry.silentHosts where told.insert(problem).inserted {
            report(problem, in: &outcome.report)
          }
        case .failure(let error as NotEnoughSpace):
          report(Problem(error, about: StageName.precheck.rawValue), in: &outcome.report)
          outcome.stopsRun = true
          runner.stop()
          group.cancelAll()
          return
        case .failure: break
        }
      }
    }
    if !outcome.stopsRun { tell(inquiry) }
    return outcome
  }

  private func show(_ waiting: Set<StageName>) {
    let names = StageName.allCases.filter(waiting.contains).map(\.rawValue)
    events.show(names.isEmpty ? "" : "waits for what these stages want: \(names.joined(separator: ", "))")
  }

  private func report(_ problem: Problem, in report: inout StageReport) {
    report.failures.append(problem)
    report.outcome = .failed
    events.emit(
      .itemFinished(StageName.precheck.rawValue, item: problem.subject, .failed(problem), bytes: 0))
  }

  private func tell(_ inquiry: Inquiry) {
    if !inquiry.reached.isEmpty || !inquiry.unreached.isEmpty {
      let known =
        "\(counted(inquiry.reached.count, "host answers", "hosts answer")); \(ByteCount.format(inquiry.remote)) to fetch"
      events.say(.info, known + Self.estimate(inquiry.remote, rate: rate.ofLastRun))
    }
    if let skew = inquiry.clockSkew, abs(skew) > 300 {
      events.say(
        .warning,
        "the clock of this machine is off by \(counted(abs(skew), "second")); TLS may fail. Set it, or start an NTP client."
      )
    }
  }

  /// How long it takes at the rate of the last run, if there was one.
  static func estimate(_ bytes: Int64, rate: Double?) -> String {
    guard let rate, rate >= 1, bytes > 0 else { return "" }
    let seconds = Double(bytes) / rate
    let time = seconds < 60 ? "less than a minute" : "about \(Int64((seconds / 60).rounded())) min"
    return ", \(time) at \(ByteCount.format(bytesPerSecond: rate)), the rate of the last run"
  }
}
