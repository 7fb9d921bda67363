import Glibc

/// A point in time, as a stop watch and as a calendar see it.
public struct ConsoleInstant: Sendable, Equatable {
  /// Seconds of a clock that is never set.
  public let uptime: Double
  /// Seconds since 1970.
  public let unixTime: Int64
  /// Seconds by which local time is ahead of UTC.
  public let utcOffset: Int64

  /// Makes an instant.
  public init(uptime: Double, unixTime: Int64, utcOffset: Int64 = 0) {
    self.uptime = uptime
    self.unixTime = unixTime
    self.utcOffset = utcOffset
  }

  /// Local time of day, `12:03:44`.
  var timeOfDay: String {
    let second = ((unixTime + utcOffset) % 86_400 + 86_400) % 86_400
    return "\(twoDigits(second / 3600)):\(twoDigits(second / 60 % 60)):\(twoDigits(second % 60))"
  }

  /// Date and time in UTC, `2026-01-31T12:03:44Z` (RFC 3339).
  var timestamp: String {
    var seconds = time_t(unixTime)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    return "\(parts.tm_year + 1900)-\(twoDigits(parts.tm_mon + 1))-\(twoDigits(parts.tm_mday))T"
      + "\(twoDigits(parts.tm_hour)):\(twoDigits(parts.tm_min)):\(twoDigits(parts.tm_sec))Z"
  }
}

/// A terminal's size in characters.
public struct TerminalSize: Sendable, Equatable {
  /// Characters in a line.
  public let columns: Int
  /// Lines.
  public let rows: Int

  /// Makes a size.
  public init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
  }
}

/// The world around a ``Console``: where text goes, how large the terminal is, what time it is.
public struct ConsoleDevice: Sendable {
  let writeOutput: @Sendable (String) -> Void
  let writeError: @Sendable (String) -> Void
  let size: @Sendable () -> TerminalSize
  let now: @Sendable () -> ConsoleInstant

  /// Makes a device of closures, which are called one at a time.
  public init(
    writeOutput: @escaping @Sendable (String) -> Void, writeError: @escaping @Sendable (String) -> Void,
    size: @escaping @Sendable () -> TerminalSize, now: @escaping @Sendable () -> ConsoleInstant
  ) {
    self.writeOutput = writeOutput
    self.writeError = writeError
    self.size = size
    self.now = now
  }

  /// This process: its standard output and error, its terminal and the machine's clocks.
  public static var process: ConsoleDevice {
    ConsoleDevice(
      writeOutput: { writeAll($0, to: STDOUT_FILENO) }, writeError: { writeAll($0, to: STDERR_FILENO) },
      size: currentTerminalSize, now: currentInstant)
  }

  /// Both outputs into one place, such as a file, with the machine's clocks.
  public static func log(_ write: @escaping @Sendable (String) -> Void) -> ConsoleDevice {
    ConsoleDevice(writeOutput: write, writeError: write, size: currentTerminalSize, now: currentInstant)
  }
}

/// Writes everything, or as much as the other side takes: a failure can be reported to nobody.
func writeAll(_ text: String, to descriptor: Int32) {
  var rest = Array(text.utf8)[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count > 0 {
      rest = rest.dropFirst(count)
    } else if errno == EAGAIN {
      // Someone who shares the terminal has made it non-blocking.
      var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      guard poll(&wait, 1, 1000) > 0 else { return }
    } else if errno != EINTR {
      return
    }
  }
}

private func currentTerminalSize() -> TerminalSize {
  var window = winsize()
  if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 {
    return TerminalSize(columns: Int(window.ws_col), rows: Int(window.ws_row))
  }
  func variable(_ name: String) -> Int? {
    getenv(name).flatMap { Int(String(cString: $0)) }.flatMap { $0 > 0 ? $0 : nil }
  }
  return TerminalSize(columns: variable("COLUMNS") ?? 80, rows: variable("LINES") ?? 24)
}

private func currentInstant() -> ConsoleInstant {
  var watch = timespec()
  clock_gettime(CLOCK_MONOTONIC, &watch)
  var seconds = time(nil)
  var parts = tm()
  localtime_r(&seconds, &parts)
  return ConsoleInstant(
    uptime: Double(watch.tv_sec) + Double(watch.tv_nsec) / 1e9, unixTime: Int64(seconds),
    utcOffset: Int64(parts.tm_gmtoff))
}
