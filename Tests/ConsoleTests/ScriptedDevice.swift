import Synchronization

@testable import Console

/// A device whose clock and size the test sets and whose outputs it reads.
final class ScriptedDevice: Sendable {
  private struct State {
    var output = ""
    var error = ""
    var uptime = 1000.0
    var size = TerminalSize(columns: 80, rows: 24)
  }

  private let state = Mutex(State())

  var device: ConsoleDevice {
    ConsoleDevice(
      writeOutput: { text in self.state.withLock { $0.output += text } },
      writeError: { text in self.state.withLock { $0.error += text } },
      size: { self.state.withLock { $0.size } },
      // 1000 s of uptime are 12:00:00 local time, an hour ahead of UTC, on 2026-01-31.
      now: {
        self.state.withLock {
          ConsoleInstant(
            uptime: $0.uptime, unixTime: 1_769_857_200 + Int64($0.uptime) - 1000, utcOffset: 3600)
        }
      })
  }

  func wait(_ seconds: Double) { state.withLock { $0.uptime += seconds } }

  func resize(columns: Int, rows: Int) {
    state.withLock { $0.size = TerminalSize(columns: columns, rows: rows) }
  }

  /// What was written to standard output since the last call.
  func output() -> String {
    state.withLock { state in
      defer { state.output = "" }
      return state.output
    }
  }

  /// What was written to standard error since the last call.
  func error() -> String {
    state.withLock { state in
      defer { state.error = "" }
      return state.error
    }
  }
}
