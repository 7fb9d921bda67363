import Synchronization

/// The only place that draws: it turns events into text for people or machines.
///
/// Safe to use from any thread. It has no thread of its own: call ``tick()`` about ten times a second while
/// something runs, and ``finish(_:)`` before the process ends, also after Ctrl-C, or the cursor stays hidden.
public final class Console: Sendable {
  private struct State {
    var board = ProgressBoard()
    var drawing: any Drawing
    var finished = false
  }

  private let device: ConsoleDevice
  private let state: Mutex<State>

  /// Makes a console; nothing is drawn yet.
  public init(options: ConsoleOptions, device: ConsoleDevice = .process) {
    self.device = device
    let drawing: any Drawing =
      switch options.mode {
      case .terminal: TerminalDrawing(options: options)
      case .plain: PlainDrawing(options: options)
      case .json: JSONDrawing(options: options)
      case .quiet: QuietDrawing(stylesOutput: options.stylesOutput)
      }
    state = Mutex(State(drawing: drawing))
  }

  /// Takes an event in and shows it. Texts are stripped of control characters first. After ``finish(_:)``
  /// only messages are shown.
  public func emit(_ event: ConsoleEvent) {
    let event = event.cleaned
    update { state, view in
      if state.finished, event.isProgress { return ConsoleText() }
      state.board.apply(event, now: view.now.uptime)
      return state.drawing.draw(event, state.board, view)
    }
  }

  /// Redraws what has changed with time alone, such as rates and the time left.
  public func tick() {
    update { state, view in
      state.finished ? ConsoleText() : state.drawing.refresh(state.board, view)
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
    update { state, view in state.drawing.draw(table, view) }
  }

  /// Writes one line of results to standard output; with JSON as an event `message`, with `quiet` not at all.
  public func line(_ text: String) {
    let text = DisplayText.clean(text)
    update { state, view in state.drawing.draw(line: text, view) }
  }

  /// Leaves the screen tidy; a second call has no effect.
  ///
  /// - Parameter sentence: The final outcome, shown in every mode.
  public func finish(_ sentence: String? = nil) {
    let sentence = sentence.map { DisplayText.clean($0, keepingLines: true) }
    update { state, view in
      guard !state.finished else { return ConsoleText() }
      state.finished = true
      state.board = ProgressBoard()
      return state.drawing.finish(sentence, view)
    }
  }

  /// Writes under the lock, so that texts of several threads do not mix.
  private func update(_ body: (inout State, DrawingView) -> ConsoleText) {
    state.withLock { state in
      let text = body(&state, DrawingView(now: device.now(), size: device.size()))
      if !text.error.isEmpty { device.writeError(text.error) }
      if !text.output.isEmpty { device.writeOutput(text.output) }
    }
  }
}
