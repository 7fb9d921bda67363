import Console
import Host
import SystemPackage

/// A service of this host: a systemd unit, or where there is no systemd a process under a script of ours.
struct Service: Sendable {
  /// The name of the unit without `.service`.
  let name: String
  private let host: TargetHost

  init(_ name: String, _ host: TargetHost) {
    self.name = name
    self.host = host
  }

  private var unit: String { "\(name).service" }
  private var unitFile: FilePath { FilePath("/etc/systemd/system/\(unit)") }
  private var script: FilePath { host.stateFolder.appending("services").appending("\(name).supervise") }
  private var processFile: FilePath { FilePath("/run/\(name).pid") }
  private var logFile: FilePath { FilePath("/var/log/\(name).log") }

  /// Writes what starts the service now and at every boot.
  ///
  /// - Parameters:
  ///   - unitText: The unit.
  ///   - command: What to run without systemd, as one line of a shell.
  /// - Returns: Whether anything has changed.
  /// - Throws: ``StepError``.
  func install(unit unitText: String, command: String, _ journal: Journal) throws -> Bool {
    switch host.initSystem {
    case .systemd:
      let isWritten = try journal.write(unitFile, unitText)
      let isLinked = try journal.link(
        FilePath("/etc/systemd/system/multi-user.target.wants/\(unit)"), to: unitFile.string)
      return isWritten || isLinked
    case .none:
      try journal.own(logFile)
      try journal.own(processFile)
      return try journal.write(script, supervising(command), mode: 0o755)
    }
  }

  /// Starts the service again if `isChanged`, else only if it does not run.
  ///
  /// - Throws: ``Host/CommandError``.
  func start(isChanged: Bool) async throws {
    switch host.initSystem {
    case .systemd:
      try await host.output(Command("systemctl", ["daemon-reload"]))
      // A unit that failed too often is not started otherwise.
      _ = await host.succeeds(Command("systemctl", ["reset-failed", unit]))
      try await host.output(Command("systemctl", [isChanged ? "restart" : "start", unit]))
    case .none:
      if isChanged { try await stop() }
      guard await !isRunning else { return }
      // A session of its own, so that it outlives this program; it runs when its process file is there.
      let start = """
        rm -f "$2"; setsid sh "$0" </dev/null >>"$1" 2>&1 &
        n=0; while [ ! -s "$2" ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done
        """
      try await host.output(
        Command("sh", ["-c", start, script.string, logFile.string, processFile.string]))
    }
  }

  /// Whether it runs, or is about to be started again.
  var isRunning: Bool {
    get async {
      switch host.initSystem {
      case .systemd: await host.succeeds(Command("systemctl", ["is-active", "--quiet", unit]))
      case .none:
        await host.succeeds(
          Command(
            "sh",
            [
              "-c", "p=$(cat \"$0\") && tr '\\0' ' ' <\"/proc/$p/cmdline\" | grep -qF \"$1\"",
              processFile.string, script.string,
            ]))
      }
    }
  }

  /// Whether systemd has given up on it.
  var hasFailed: Bool {
    get async {
      guard host.initSystem == .systemd else { return await !isRunning }
      return await host.succeeds(Command("systemctl", ["is-failed", "--quiet", unit]))
    }
  }

  /// Stops it and waits until it has ended.
  ///
  /// - Throws: ``Host/CommandError``.
  func stop() async throws {
    switch host.initSystem {
    case .systemd: try await host.output(Command("systemctl", ["stop", unit]))
    case .none:
      guard await isRunning else { return }
      try await host.output(
        Command(
          "sh",
          [
            "-c",
            "p=$(cat \"$0\"); kill \"$p\"; n=0; while kill -0 \"$p\" 2>/dev/null && [ $n -lt 150 ]; do sleep 0.1; n=$((n+1)); done",
            processFile.string,
          ]))
    }
  }

  /// Lets systemd forget a unit whose file is gone.
  func forget() async {
    guard host.initSystem == .systemd else { return }
    _ = await host.succeeds(Command("systemctl", ["daemon-reload"]))
    _ = await host.succeeds(Command("systemctl", ["reset-failed", unit]))
  }

  /// The last lines that the service wrote, for an error.
  var lastWords: String {
    get async {
      let command =
        host.initSystem == .systemd
        ? Command("journalctl", ["--unit", unit, "--lines", "15", "--no-pager", "--output", "cat"])
        : Command("tail", ["-n", "15", logFile.string])
      let text = ((try? await host.run(command))?.standardOutput ?? "")
        .split(whereSeparator: \.isNewline).map { "  \($0.prefix(300))" }.joined(separator: "\n")
      return text.isEmpty ? "It reported nothing." : "Its last lines:\n\(text)"
    }
  }

  /// How to see more of it.
  var logCommand: String {
    host.initSystem == .systemd ? "journalctl -u \(unit)" : "less \(logFile)"
  }

  /// A script that starts a command again when it ends, until it is told to stop.
  private func supervising(_ command: String) -> String {
    TextTemplate(PackageResources.supervise_sh, quoting: shellQuoted)
      .filled(["processFile": processFile.string], verbatim: ["name": name, "command": command])
  }
}
