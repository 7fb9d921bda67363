import Foundation
import Host
import SystemPackage
import Testing

/// What the programs write when they end at once, run as a user runs them.
@Suite(.serialized, .timeLimit(.minutes(10))) struct TopLevelErrorTests {
  /// A text that would clear the screen, change colours, title and the direction of writing, and break lines.
  private static let hostile =
    "evil\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}gpj\u{2066}\u{200f}\u{2028}\u{85}\u{7f}end"

  private func run(_ program: String, _ arguments: [String]) async throws -> (status: Int32, text: String) {
    let running = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let path = FilePath(running).removingLastComponent().appending(program)
    let result = try await Command(
      path.string, arguments, workingDirectory: FilePath(FileManager.default.temporaryDirectory.path)
    ).run()
    return (result.status, result.standardOutput + result.standardError)
  }

  @Test(arguments: [
    ("download-all", [hostile]), ("download-all", ["--\(hostile)"]),
    ("download-all", ["plan", "--config", "/nonexistent/\(hostile)"]),
    ("download-all", ["--layout", hostile, "plan"]),
    ("download-all", ["verify", "--outputs", "/tmp/\(hostile)"]),
    ("download-all", ["--cache", "/proc/\(hostile)", "files"]),
    ("target-setup", [hostile]), ("target-setup", ["--bundle", "/nonexistent/\(hostile)", "status"]),
    ("target-setup", ["upload", "--to", hostile]), ("target-setup", ["status", "--copy", hostile]),
  ])
  func argumentsOfTheUserReachNoTerminalUncleaned(_ program: String, _ arguments: [String]) async throws {
    let (status, text) = try await run(program, arguments)
    #expect(status == 1 || status == 2)
    #expect(!text.isEmpty)
    let dangerous = text.unicodeScalars.filter { scalar in
      switch scalar.properties.generalCategory {
      case .control: scalar != "\n" && scalar != "\t"
      case .format, .lineSeparator, .paragraphSeparator: true
      default: false
      }
    }
    #expect(dangerous.isEmpty, "\(dangerous.map { String($0.value, radix: 16) })")
  }
}
