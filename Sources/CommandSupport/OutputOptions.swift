import ArgumentParser
import Console

/// How the program shows what it does.
public struct OutputOptions: ParsableArguments, Sendable {
  /// Whether errors and the outcome are all that is shown.
  @Flag(name: [.short, .long], help: "Show errors and the outcome only.")
  public var quiet = false

  /// Whether results and progress are JSON on standard output.
  @Flag(help: "Write JSON to standard output: results, and progress as one object a line.")
  public var json = false

  /// Whether lines are plain even on a terminal.
  @Flag(help: "Write plain lines even on a terminal.")
  public var noProgress = false

  /// Whether details are shown.
  @Flag(name: [.short, .long], help: "Show details of what is done.")
  public var verbose = false

  /// As ArgumentParser makes them.
  public init() {}

  /// The console that these options ask for.
  ///
  /// - Parameter log: Where plain lines go too.
  public func console(log: ConsoleDevice? = nil) -> Console {
    Console(
      options: .resolve(
        isTerminal: Terminal.isError, outputIsTerminal: Terminal.isOutput,
        environment: processEnvironment(), quiet: quiet, json: json, noProgress: noProgress, debug: verbose),
      log: log)
  }
}

extension OutputOptions {
  /// Where events go while a result is worked out: nowhere when the result itself is the JSON.
  public func events(_ console: Console) -> @Sendable (ConsoleEvent) -> Void {
    if json { return { _ in } }
    return { console.emit($0) }
  }
}

/// Runs work with a console that redraws ten times a second and is left tidy, whatever happens.
public func withTicking<T>(_ console: Console, _ work: () async throws -> T) async rethrows -> T {
  let ticker = Task {
    while !Task.isCancelled {
      console.tick()
      try? await Task.sleep(for: .milliseconds(100))
    }
  }
  defer { ticker.cancel() }
  return try await work()
}
