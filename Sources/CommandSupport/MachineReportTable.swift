import ArgumentParser
import Console
import Diagnosis

extension MachineReport {
  /// Shows what was found, one line a finding, and what to do; or all of it as JSON.
  ///
  /// - Throws: `ExitCode` when an error was found; `EncodingError`.
  public func show(_ console: Console, _ output: OutputOptions) throws {
    if output.json {
      try printJSON(self)
    } else {
      console.table([], findings.map(Self.row))
      for line in next { console.line("next: \(line)") }
      console.finish(summary)
    }
    if errors > 0 { throw ExitCode(.failed) }
  }

  private static func row(_ finding: Finding) -> [String] {
    let place = finding.node.map { "\($0): " } ?? ""
    return [finding.level.rawValue, finding.check.rawValue, place + finding.detail]
  }
}
