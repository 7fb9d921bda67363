import SystemPackage
import Testing

@testable import DownloadAll

/// What of `target-scripts/` goes into the bundle.
@Suite struct ScriptsStageTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private var folder: FilePath { fixture.root.appending("target-scripts") }

  @Test func everyFileThatIsNotHiddenGoesThere() throws {
    try fixture.write("#!/bin/sh\n", to: "target-scripts/setup-all.sh")
    try fixture.write("diff", to: "target-scripts/patches/2.30.0/01.patch")
    try fixture.write("x", to: "target-scripts/.setup.sh.swp")
    try fixture.write("x", to: "target-scripts/patches/.gitignore")
    #expect(try ScriptsStage.scripts(in: folder) == ["patches/2.30.0/01.patch", "setup-all.sh"])
  }

  @Test func aMissingOrEmptyFolderIsNamed() throws {
    for isEmpty in [false, true] {
      if isEmpty { try fixture.write("", to: "target-scripts/.keep") }
      let error = #expect(throws: ScriptsUnusable.self) { try ScriptsStage.scripts(in: folder) }
      #expect(
        "\(try #require(error))".contains("\(folder): it \(isEmpty ? "has no files" : "cannot be read")"))
    }
  }

  @Test func aScriptWithTheLineEndsOfWindowsIsRefused() throws {
    try fixture.write("#!/bin/sh\r\n", to: "target-scripts/setup-all.sh")
    let error = #expect(throws: ScriptsUnusable.self) { try ScriptsStage.scripts(in: folder) }
    #expect("\(try #require(error))".contains("setup-all.sh: its lines end as on Windows"))
  }
}
