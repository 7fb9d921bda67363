import Console
import Synchronization

/// A console whose two outputs a test reads.
final class RecordingConsole: Sendable {
  private let written = Mutex((output: "", error: ""))

  /// Draws lines as into a log, at a time that stands still.
  var console: Console {
    Console(
      options: ConsoleOptions(mode: .plain),
      device: ConsoleDevice(
        writeOutput: { text in self.written.withLock { $0.output += text } },
        writeError: { text in self.written.withLock { $0.error += text } },
        size: { TerminalSize(columns: 100, rows: 24) },
        now: { ConsoleInstant(uptime: 1000, unixTime: 1_769_857_200) }))
  }

  /// What was written to standard output, and then what was written to standard error.
  var text: String { written.withLock { $0.output + "----\n" + $0.error } }
}
