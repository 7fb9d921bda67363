import ArgumentParser
import Bundle
import CommandSupport
import DownloadAll
import Foundation
import Settings
import Testing

@testable import DownloadAllCommands
@testable import TargetSetupCommands

/// The files that are made of the table of settings and of the command lines; `make docs` writes them anew.
@Suite struct GeneratedFilesTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private static func text(of path: String) throws -> String {
    switch path {
    case "config/config.yml": SettingSection.configurationFile()
    case "docs/reference/settings.md": SettingSection.reference()
    case "docs/man/download-all.1":
      ManualPage(try CommandDescription(DownloadAllCommand.self), version: programVersion).text
    case "docs/man/target-setup.1":
      ManualPage(try CommandDescription(TargetSetupCommand.self), version: programVersion).text
    case "docs/reference/commands.md":
      CommandReference(
        [try CommandDescription(DownloadAllCommand.self), try CommandDescription(TargetSetupCommand.self)],
        version: programVersion
      ).text
    case "docs/reference/verify-bundle.sha256": VerifyBundleScript.checksumLine
    default: ""
    }
  }

  @Test(arguments: [
    "config/config.yml", "docs/reference/settings.md", "docs/man/download-all.1", "docs/man/target-setup.1",
    "docs/reference/commands.md", "docs/reference/verify-bundle.sha256",
  ])
  func theFileIsWhatTheProgramSays(_ path: String) throws {
    let file = Self.root.appending(path: path)
    let expected = try Self.text(of: path)
    if ProcessInfo.processInfo.environment["WRITE_DOCS"] != nil {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try expected.write(to: file, atomically: true, encoding: .utf8)
    }
    let found = try String(contentsOf: file, encoding: .utf8)
    #expect(found == expected, "\(path) is not up to date: make docs")
  }

  @Test(arguments: [
    (
      DownloadAllCommand.self as any ParsableCommand.Type, [SettingScope.download, .bundle],
      Self.otherOptionsOfDownloadAll
    ),
    (TargetSetupCommand.self, [.target], Self.otherOptionsOfTargetSetup),
  ])
  func everyOptionIsASettingOrIsListedAsNone(
    _ program: any ParsableCommand.Type, _ scopes: [SettingScope], _ others: Set<String>
  ) throws {
    let commands = try #require(
      try CommandDescription(program).subcommands?.filter { $0.commandName != "help" })
    let names = Set(commands.flatMap { $0.arguments ?? [] }.compactMap { $0.names?.last?.text })
    let settings = Configuration.settings.filter { scopes.contains($0.scope) }.compactMap(\.flag?.name)
    #expect(names.subtracting(settings).sorted() == others.sorted())
    #expect(Set(settings).subtracting(names).isEmpty)
  }

  /// The variables of the environment that the sources name are in the reference.
  @Test func everyVariableIsInTheReference() throws {
    let text = try Self.text(of: "docs/reference/commands.md")
    let sources = Self.root.appending(path: "Sources")
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    let pattern = /(?:environment|processEnvironment\(\))\["([A-Z_]+)"\]/
    var names: Set<String> = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let source = try String(contentsOf: file, encoding: .utf8)
      names.formUnion(source.matches(of: pattern).map { String($0.1) })
    }
    #expect(names.count > 10)
    #expect(names.filter { !text.contains("`\($0)`") }.isEmpty)
  }

  @Test(arguments: [DownloadAllCommand.self as any ParsableCommand.Type, TargetSetupCommand.self])
  func noNameIsAFlagHereAndAnOptionThere(_ program: any ParsableCommand.Type) throws {
    let arguments = try #require(try CommandDescription(program).subcommands).flatMap { $0.arguments ?? [] }
    let withValue = arguments.filter { $0.kind == .option }.flatMap { $0.names ?? [] }.map(\.text)
    #expect(try CommandDescription(program).flagNames.intersection(withValue).isEmpty)
  }

  private static let otherOptionsOfDownloadAll: Set<String> = [
    "--config", "--quiet", "--json", "--no-progress", "--verbose", "--version", "--help", "--dry-run",
    "--prove", "--yes", "--bundle", "--keep-cache", "--only-cache", "--shelf", "--shelves", "--flat",
    "--format", "--to", "--file", "--name", "--key", "--allowed-signers", "--base", "--heal", "--missing",
    "--size", "--from", "--part", "--remove", "--sha256", "--quick",
  ]

  private static let otherOptionsOfTargetSetup: Set<String> = [
    "--config", "--quiet", "--json", "--no-progress", "--verbose", "--version", "--help", "--dry-run",
    "--bundle", "--ca-file", "--insecure", "--skip-verify", "--force", "--allowed-signers",
    "--allow-unsigned", "--allow-older", "--shell-bundle", "--archive", "--name", "--renew",
    "--new-authority", "--to", "--dns", "--once", "--since",
    "--artifactory", "--parallel", "--into", "--missing", "--drop", "--apply", "--kubeconfig",
    "--keep-bundles", "--inventory", "--quick",
  ]
}
