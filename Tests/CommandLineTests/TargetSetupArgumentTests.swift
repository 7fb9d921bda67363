import ArgumentParser
import Bundle
import CommandSupport
import Settings
import TargetSetup
import Testing

@testable import TargetSetupCommands

/// What people may type for target-setup.
@Suite struct TargetSetupArgumentTests {
  private func parse(_ typed: [String]) throws -> any ParsableCommand {
    try TargetSetupCommand.parseAsRoot(commandFirst(typed, of: TargetSetupCommand.self))
  }

  @Test func allIsEveryStepButThoseThatMustBeNamed() throws {
    #expect(try stepArguments(["all"], all: StepName.all) == StepName.all)
    #expect(!StepName.all.contains(.ansible) && !StepName.all.contains(.registryClient))
    #expect(try stepArguments(["load-push", "ansible"], all: []) == [.loadPush, .ansible])
  }

  @Test func stepsAndOptionsStandInAnyOrder() throws {
    let typed = ["nginx", "--address", "10.0.0.5", "--skip-verify", "registry"]
    let run = try #require(try parse(typed) as? RunCommand)
    #expect(run.steps == ["nginx", "registry"])
    #expect(run.choices.options.flags.texts["target.address"] == ["10.0.0.5"] && run.choices.skipVerify)
    let undo = try parse(["--no-progress", "-b", "undo", "undo", "all"])
    #expect((undo as? UndoCommand)?.options.bundle == "undo")
  }

  @Test(arguments: [
    [], ["nothing"], ["nginx", "status"], ["undo"], ["--no-such", "all"], ["all", "--archive", "a.tar"],
  ])
  func wrongUsageIsRefused(_ typed: [String]) {
    let error = #expect(throws: (any Error).self) {
      try parse(typed)
    }
    #expect(error.map { TargetSetupCommand.exitCode(for: $0) } == .validationFailure)
  }

  @Test(arguments: ["-n", "--dry-run", "--force", "--insecure", "--artifactory", "-qn"])
  func everyFlagOfUploadWorksBeforeIt(_ flag: String) throws {
    let typed = [flag, "upload", "--to", "http://store.example.com/x", "folder"]
    let upload = try #require(try parse(typed) as? UploadCommand)
    #expect(upload.folder == "folder" && upload.address == "http://store.example.com/x")
  }

  @Test(arguments: [
    ["--to", "store.example.com"], ["--to", "http://h/?x"], ["--to", "http://h", "--parallel", "0"],
  ])
  func wrongUsageOfUploadIsRefused(_ options: [String]) {
    let error = #expect(throws: (any Error).self) {
      try parse(["upload"] + options)
    }
    #expect(error.map { TargetSetupCommand.exitCode(for: $0) } == .validationFailure)
  }

  @Test func archivesGoWithLoadPush() throws {
    let typed = ["load-push", "--archive", "container-images.tar.gz", "--registry", "harbor.example.com"]
    let run = try #require(try parse(typed) as? RunCommand)
    #expect(run.choices.archives == ["container-images.tar.gz"] && run.steps == ["load-push"])
  }

  @Test func everyOptionBelongsToASetting() throws {
    let typed = [
      "all", "--address", "mirror.example.com", "--nginx-port", "8080", "--registry-port", "5000",
      "--registry",
      "harbor.example.com/k8s", "--copy", "always", "--take-node",
    ]
    let run = try #require(try parse(typed) as? RunCommand)
    let configuration = try Configuration.resolve(
      defaultFile: nil, environment: [:], flags: run.choices.options.flags.texts)
    #expect(configuration.target.address == "mirror.example.com")
    #expect(configuration.nginx.port == 8080)
    #expect(configuration.registry.port == 5000)
    #expect(configuration.registry.local == "harbor.example.com/k8s")
    #expect(configuration.target.copy == .always)
    #expect(configuration.target.existingNode == .take)
    #expect("\(configuration.origin(of: "nginx.port"))" == "--nginx-port")
  }
}
