/// How far one stage is.
struct StageProgress: Sendable {
  let name: String
  let started: Double
  var itemTotal: Int?
  var itemsDone = 0
  var itemsSkipped = 0
  var itemsFailed = 0
  var byteTotal: Int64?
  var bytesDone: Int64 = 0
  var outcome: StageOutcome?
  /// What it does or waits for while no bytes move.
  var activity = ""
  private var bytesMoved: Int64 = 0
  private var meter = RateMeter()

  init(name: String, started: Double) {
    self.name = name
    self.started = started
  }

  mutating func moved(_ bytes: Int64, now: Double) {
    bytesDone = max(0, bytesDone &+ bytes)
    bytesMoved = max(0, bytesMoved &+ bytes)
    meter.add(bytes, now: now)
  }

  func rate(now: Double) -> Double { outcome == nil ? meter.rate(now: now) : 0 }

  /// `12/25`, with the failures behind; empty while there is nothing to count.
  var itemText: String { itemCount + (itemsFailed > 0 ? " (\(itemsFailed) failed)" : "") }

  /// The same with what was skipped, for the end.
  var finalItemText: String {
    let details = [(itemsSkipped, "skipped"), (itemsFailed, "failed")].filter { $0.0 > 0 }
    return details.isEmpty
      ? itemCount : "\(itemCount) (\(details.map { "\($0.0) \($0.1)" }.joined(separator: ", ")))"
  }

  private var itemCount: String {
    if let itemTotal, itemTotal > 0 { return "\(itemsDone)/\(itemTotal)" }
    return itemsDone > 0 ? "\(itemsDone)" : ""
  }

  /// `310 MB` of what is there by now; empty for nothing.
  var byteText: String { bytesDone > 0 ? ByteCount.format(bytesDone) : "" }

  /// `310 MB` of what was not there before; empty for nothing.
  var movedText: String { bytesMoved > 0 ? ByteCount.format(bytesMoved) : "" }
}

/// How far the run is: what all events so far amount to.
struct ProgressBoard: Sendable {
  private(set) var stages: [StageProgress] = []

  /// Stages that have begun and not ended, in the order they began.
  var running: [StageProgress] { stages.filter { $0.outcome == nil } }

  subscript(name: String) -> StageProgress? { stages.first { $0.name == name } }

  /// Takes an event in.
  ///
  /// - Parameter now: The time in seconds of the stop watch.
  mutating func apply(_ event: ConsoleEvent, now: Double) {
    switch event {
    case .message, .problem: break
    case .stageStarted(let stage):
      stages.removeAll { $0.name == stage && $0.outcome != nil }
      update(stage, now) { _ in }
    case .stageActivity(let stage, let text):
      update(stage, now) { $0.activity = text }
    case .stageTotals(let stage, let items, let bytes):
      update(stage, now) {
        $0.itemTotal = items
        $0.byteTotal = bytes
      }
    case .bytes(let stage, let count):
      update(stage, now) { $0.moved(count, now: now) }
    case .itemFinished(let stage, _, let outcome, let bytes):
      update(stage, now) {
        $0.itemsDone += 1
        switch outcome {
        case .done: break
        case .skipped:
          $0.itemsSkipped += 1
          $0.bytesDone &+= bytes
        case .failed: $0.itemsFailed += 1
        }
      }
    case .stageFinished(let stage, let outcome, _):
      update(stage, now) { $0.outcome = outcome }
    }
  }

  private mutating func update(_ name: String, _ now: Double, _ change: (inout StageProgress) -> Void) {
    if let index = stages.firstIndex(where: { $0.name == name }) {
      change(&stages[index])
    } else {
      var stage = StageProgress(name: name, started: now)
      change(&stage)
      stages.append(stage)
    }
  }
}
