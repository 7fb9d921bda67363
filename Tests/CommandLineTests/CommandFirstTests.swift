import ArgumentParser
import Bundle
import CommandSupport
import Settings
import SystemPackage
import Testing

@testable import DownloadAllCommands

/// What people may type, and in which order.
@Suite struct CommandFirstTests {
  private func parse(_ typed: [String]) throws -> any ParsableCommand {
    try DownloadAllCommand.parseAsRoot(commandFirst(typed, of: DownloadAllCommand.self))
  }

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
  func aCommandMayFollowItsOptions(_ typed: [String], _ expected: [String]) throws {
    #expect(try commandFirst(typed, of: DownloadAllCommand.self) == expected)
  }

  @Test(arguments: [
    "-q", "--quiet", "--json", "--no-progress", "-v", "--verbose", "-n", "--dry-run", "-nq",
  ])
  func everyFlagWorksBeforeItsCommand(_ flag: String) throws {
    let command = flag.contains("n") && flag != "--json" && flag != "--no-progress" ? "run" : "plan"
    let parsed = try parse([flag, command, "files"])
    #expect(parsed is RunCommand || parsed is PlanCommand)
  }

  @Test(arguments: ["-y", "--yes", "--bundle", "--keep-cache", "--only-cache", "--shelves"])
  func everyFlagOfCleanWorksBeforeIt(_ flag: String) throws {
    #expect(try parse([flag, "clean"]) is CleanCommand)
  }

  @Test func stagesWithoutACommandAreARun() throws {
    let parsed = try parse(["--retries", "2", "py", "files"])
    let run = try #require(parsed as? RunCommand)
    #expect(run.stages == ["py", "files"])
    #expect(run.options.settings.flags.texts["transfer.retries"] == ["2"])
  }

  @Test func flagsOfEveryKindBecomeSettings() throws {
    let typed = ["-i", "inv", "-e", "a=1", "-e", "b=x=y", "--no-install", "--refresh", "--skip-pypi"]
    let run = try #require(try parse(typed) as? RunCommand)
    let configuration = try Configuration.resolve(
      defaultFile: nil, environment: [:], flags: run.options.settings.flags.texts)
    #expect(configuration.kubespray.inventory == "inv")
    #expect(configuration.kubespray.extraArguments == ["a=1", "b=x=y"])
    #expect(!configuration.packages.install && configuration.pypi.skip && !configuration.images.skip)
    #expect(configuration.refreshAfter == .zero)
    #expect("\(configuration.origin(of: "refresh_after"))" == "--refresh")
  }

  @Test(arguments: [
    "a", "=b", "a= b", "a=1 b", "a='1", "/file", "./file", "@", "[1]", "{1: }}", "a: b", "a b=1",
  ])
  func anExtraVariableIsANameAndAValue(_ text: String) throws {
    let run = try #require(try parse(["--extra-vars", text]) as? RunCommand)
    let error = #expect(throws: ConfigurationError.self) {
      try Configuration.resolve(defaultFile: nil, environment: [:], flags: run.options.settings.flags.texts)
    }
    #expect(
      error?.problems
        == ["--extra-vars takes NAME=VALUE, a mapping in JSON or YAML, or @FILE, not \"\(text)\""])
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
    ("plan", "put it before any stage"),
  ])
  func whatIsNoStageIsToldWithTheStages(_ text: String, _ expected: String) {
    let error = #expect(throws: ValidationError.self) { try stageArgument(text) }
    #expect(error?.message.contains(expected) == true)
  }

  @Test(arguments: [["--no-such"], ["files", "verify"], ["plan", "nothing"], ["fetch", "list"]])
  func wrongUsageIsRefused(_ typed: [String]) {
    let error = #expect(throws: (any Error).self) {
      try parse(typed)
    }
    #expect(error.map { DownloadAllCommand.exitCode(for: $0) } == .validationFailure)
  }
}
