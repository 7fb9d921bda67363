import ArgumentParser
import Bundle
import Settings
import Testing

@testable import download_all

/// What people may type, and in which order.
@Suite struct CommandFirstTests {
  @Test(arguments: [
    (["plan"], ["plan"]),
    (["--config", "x.yml", "plan", "--json"], ["plan", "--config", "x.yml", "--json"]),
    (["--config=x.yml", "verify"], ["verify", "--config=x.yml"]),
    (["-q", "--no-progress", "fetch", "list", "dir"], ["fetch", "-q", "--no-progress", "list", "dir"]),
    (["-qv", "plan", "files"], ["plan", "-qv", "files"]),
    // The value of an option is no command.
    (["--config", "plan"], ["--config", "plan"]),
    (["-c", "clean", "files"], ["-c", "clean", "files"]),
    // What follows a stage or -- stays.
    (["files", "plan"], ["files", "plan"]),
    (["--", "plan"], ["--", "plan"]),
    ([], []),
  ])
  func aCommandMayFollowItsOptions(_ typed: [String], _ expected: [String]) {
    #expect(commandFirst(typed) == expected)
  }

  @Test(arguments: [
    "-q", "--quiet", "--json", "--no-progress", "-v", "--verbose", "-n", "--dry-run", "-nq",
  ])
  func everyFlagWorksBeforeItsCommand(_ flag: String) throws {
    let command = flag.contains("n") && flag != "--json" && flag != "--no-progress" ? "run" : "plan"
    let parsed = try DownloadAllCommand.parseAsRoot(commandFirst([flag, command, "files"]))
    #expect(parsed is RunCommand || parsed is PlanCommand)
  }

  @Test(arguments: ["-y", "--yes", "--bundle", "--keep-cache", "--only-cache"])
  func everyFlagOfCleanWorksBeforeIt(_ flag: String) throws {
    #expect(try DownloadAllCommand.parseAsRoot(commandFirst([flag, "clean"])) is CleanCommand)
  }

  @Test func stagesWithoutACommandAreARun() throws {
    let parsed = try DownloadAllCommand.parseAsRoot(commandFirst(["--retries", "2", "py", "files"]))
    let run = try #require(parsed as? RunCommand)
    #expect(run.stages == ["py", "files"])
    #expect(run.settings.retries == "2")
  }

  @Test(arguments: StageName.allCases)
  func aStageIsItsName(_ stage: StageName) throws {
    #expect(try stageArgument(stage.rawValue) == stage)
  }

  @Test(arguments: [
    (
      "fiels",
      "neither a stage (precheck, pkgs, py, kubespray, pypi, files, images, repo, scripts, prove) nor a command"
    ),
    ("plan", "a command stands before any stage"),
  ])
  func whatIsNoStageIsToldWithTheStages(_ text: String, _ expected: String) {
    let error = #expect(throws: ValidationError.self) { try stageArgument(text) }
    #expect(error?.message.contains(expected) == true)
  }

  @Test(arguments: [["--no-such"], ["files", "verify"], ["plan", "nothing"], ["fetch", "list"]])
  func wrongUsageIsRefused(_ typed: [String]) {
    let error = #expect(throws: (any Error).self) {
      try DownloadAllCommand.parseAsRoot(commandFirst(typed))
    }
    #expect(error.map { DownloadAllCommand.exitCode(for: $0) } == .validationFailure)
  }
}
