import Console
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// A step of a test.
private struct TestStep: Step {
  let name: StepName
  var needs: [StepName] = []
  var state = StepState.needed("to do")
  var failure: String?
  var seen: @Sendable (String) -> Void = { _ in }

  func check(_ context: SetupContext, _ journal: Journal) -> StepState { state }
  func apply(_ context: SetupContext, _ journal: Journal) throws -> String {
    seen("apply \(name.rawValue)")
    if let failure { throw StepError(failure, .again) }
    try journal.note(.service, "yes")
    return "done"
  }
  func beforeUndo(_ context: SetupContext, _ journal: Journal) { seen("undo \(name.rawValue)") }
}

@Suite("A run of steps")
struct RunTests {
  private func withRun(
    _ change: @escaping @Sendable (inout [StepName: TestStep]) -> Void = { _ in },
    _ body: (SetupRun, () -> [String]) async throws -> Void
  ) async throws {
    let log = SeenLog()
    try await withFolder { folder in
      var steps: [StepName: TestStep] = [:]
      for name in StepName.allCases { steps[name] = TestStep(name: name, seen: { log.add($0) }) }
      steps[.nginx]?.needs = [.containerd]
      steps[.loadPush]?.needs = [.registry]
      change(&steps)
      let table = steps
      let run = SetupRun(context(root: folder, bundle: folder)) { table[$0] ?? TestStep(name: $0) }
      try await body(run) { log.all }
    }
  }

  @Test("steps run in their order, whatever the order in which they were named")
  func order() async throws {
    try await withRun { run, seen in
      let reports = try await run.execute([.extract, .nginx, .containerd])
      #expect(reports.map(\.step) == [.containerd, .nginx, .extract])
      #expect(seen() == ["apply containerd", "apply nginx", "apply extract"])
    }
  }

  @Test("a failure stops what needs the failed step and nothing else")
  func failure() async throws {
    try await withRun {
      $0[.containerd]?.failure = "no runc"
    } _: { run, seen in
      let reports = try await run.execute([.containerd, .nginx, .extract])
      #expect(reports.map(\.outcome) == [.failed, .blocked, .done])
      #expect(reports[0].detail.hasPrefix("no runc. "))
      #expect(reports[0].problems.map(\.detail) == ["no runc"])
      #expect(reports[1].detail.contains("containerd"))
      #expect(seen() == ["apply containerd", "apply extract"])
    }
  }

  @Test("nothing is installed from a bundle that is not whole")
  func damagedBundle() async throws {
    try await withRun {
      $0[.verify]?.failure = "a file is damaged"
    } _: { run, seen in
      let reports = try await run.execute(StepName.all)
      #expect(reports.map(\.step) == StepName.all)
      #expect(reports.dropFirst().allSatisfy { $0.outcome == .blocked })
      #expect(seen() == ["apply verify"])
    }
  }

  @Test("what is done, not needed or refused is not applied, and what is done can be forced")
  func states() async throws {
    try await withRun {
      $0[.containerd]?.state = .refused("a cluster node")
      $0[.nginx]?.state = .done("answers")
      $0[.registry]?.state = .notApplicable("elsewhere")
    } _: { run, seen in
      let reports = try await run.execute([.containerd, .nginx, .registry])
      #expect(reports.map(\.outcome) == [.leftAlone, .already, .notNeeded])
      #expect(seen() == [])
      _ = try await run.execute([.nginx, .registry], isForced: true)
      #expect(seen() == ["apply nginx"])
    }
  }

  @Test("undo goes backwards, refuses what is in use, and does nothing twice")
  func undo() async throws {
    try await withRun { run, seen in
      _ = try await run.execute([.containerd, .nginx])
      let refused = try await run.undo([.containerd])
      #expect(refused.map(\.outcome) == [.failed])
      #expect(refused[0].detail.contains("undo nginx"))
      #expect(try await run.undo([.containerd, .nginx]).map(\.step) == [.nginx, .containerd])
      #expect(seen().suffix(2) == ["undo nginx", "undo containerd"])
      #expect(try await run.undo([.containerd, .nginx]).map(\.outcome) == [.already, .already])
    }
  }
}

private final class SeenLog: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
}
