import Synchronization

/// The only place that draws: it turns events into text for people or machines.
///
/// Safe to use from any thread. It has no thread of its own: call ``tick()`` about ten times a second while
/// something runs, and ``finish(_:)`` before the process ends, also after Ctrl-C, or the cursor stays hidden.
public final class Console: Sendable {
  /// A place where all is drawn, and how.
  private struct Outlet {
    let device: ConsoleDevice
    var drawing: any Drawing
  }

  private struct State {
    var board = ProgressBoard()
    var outlets: [Outlet]
    var finished = false
  }

  private let device: ConsoleDevice
  private let state: Mutex<State>

  /// Makes a console; nothing is drawn yet.
  ///
  /// - Parameters:
  ///   - options: The form of what is drawn, and how much of it.
  ///   - device: Where it is drawn: standard output and standard error of the process, or a test's own.
  ///   - log: Where plain lines go too, those of level debug among them; `nil` for nowhere.
  public init(options: ConsoleOptions, device: ConsoleDevice = .process, log: ConsoleDevice? = nil) {
    self.device = device
    let drawing: any Drawing =
      switch options.mode {
      case .terminal: TerminalDrawing(options: options)
      case .plain: PlainDrawing(options: options)
      case .json: JSONDrawing(options: options)
      case .quiet: QuietDrawing(stylesOutput: options.stylesOutput)
      }
    let plain = PlainDrawing(options: ConsoleOptions(mode: .plain, showsDebug: true))
    state = Mutex(
      State(
        outlets: [Outlet(device: device, drawing: drawing)]
          + (log.map { [Outlet(device: $0, drawing: plain)] } ?? [])))
  }

  /// Takes an event in and shows it. Texts are stripped of control characters first. After ``finish(_:)``
  /// only messages are shown.
  public func emit(_ event: ConsoleEvent) {
    let event = event.cleaned
    state.withLock { state in
      if state.finished, event.isProgress { return }
      state.board.apply(event, now: device.now().uptime)
      Self.write(&state) { $0.draw(event, $1, $2) }
    }
  }

  /// Redraws what has changed with time alone, such as rates and the time left.
  public func tick() {
    state.withLock { state in
      if !state.finished { Self.write(&state) { $0.refresh($1, $2) } }
    }
  }

  /// Writes a table of results to standard output; with JSON as an object with `columns` and `rows`.
  ///
  /// - Parameters:
  ///   - header: The names of the columns.
  ///   - rows: The cells, from left to right.
  ///   - rightAligned: The columns, counted from 0, whose cells end at the right edge, such as numbers.
  public func table(_ header: [String], _ rows: [[String]], rightAligned: Set<Int> = []) {
    let table = TextTable(header: header, rows: rows, rightAligned: rightAligned)
    state.withLock { state in Self.write(&state) { drawing, _, view in drawing.draw(table, view) } }
  }

  /// Writes one line of results to standard output; with JSON as an event `message`, with `quiet` not at all.
  public func line(_ text: String) {
    let text = DisplayText.clean(text)
    state.withLock { state in Self.write(&state) { drawing, _, view in drawing.draw(line: text, view) } }
  }

  /// Leaves the screen tidy; a second call has no effect.
  ///
  /// - Parameter sentence: The final outcome, shown in every mode.
  public func finish(_ sentence: String? = nil) {
    let sentence = sentence.map { DisplayText.clean($0, keepingLines: true) }
    state.withLock { state in
      guard !state.finished else { return }
      state.finished = true
      state.board = ProgressBoard()
      Self.write(&state) { drawing, _, view in drawing.finish(sentence, view) }
    }
  }

  /// Writes under the lock, so that texts of several threads do not mix.
  private static func write(
    _ state: inout State, _ draw: (inout any Drawing, ProgressBoard, DrawingView) -> ConsoleText
  ) {
    for index in state.outlets.indices {
      let device = state.outlets[index].device
      let view = DrawingView(now: device.now(), size: device.size())
      let text = draw(&state.outlets[index].drawing, state.board, view)
      if !text.error.isEmpty { device.writeError(text.error) }
      if !text.output.isEmpty { device.writeOutput(text.output) }
    }
  }
}
