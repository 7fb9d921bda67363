import Bundle
import Foundation
import Host
import SystemPackage
import TestServer
import Testing

@testable import Mirrors

@Suite("Python index: what is needed")
struct PythonResolutionTests {
  private func names(_ index: PythonIndex) async throws -> [String] { try await index.resolve { _ in }.names }

  @Test("markers are those of the target, not of the Python that runs here")
  func markers() async throws {
    let world = try await PythonWorld()
    try await world.make([
      """
      app-1-py3-none-any.whl | | old; python_version < "3.12" | new; python_version >= "3.12" \
      | arm; platform_machine == "aarch64" | windows; sys_platform == "win32"
      """,
      "old-1-py3-none-any.whl", "new-1-py3-none-any.whl", "arm-1-py3-none-any.whl",
      "windows-1-py3-none-any.whl", "direct-1-py3-none-any.whl",
    ])
    try world.require("app", "direct; python_version == '3.13'")
    let app = "app-1-py3-none-any.whl"
    let (old, new) = ("old-1-py3-none-any.whl", "new-1-py3-none-any.whl")
    #expect(try await names(world.mirror(pythons: [11])) == [app, old])
    #expect(try await names(world.mirror(pythons: [12])) == [app, new])
    #expect(
      try await names(world.mirror(pythons: [13], architectures: [.arm64]))
        == [app, "arm-1-py3-none-any.whl", "direct-1-py3-none-any.whl", new])
  }

  @Test(
    "one index has the wheels for every architecture, what is for all of them once, and names who lacks one")
  func architectures() async throws {
    let world = try await PythonWorld()
    try await world.make([
      "app-1-py3-none-any.whl | | fast | arm; platform_machine == 'aarch64'", "arm-1-py3-none-any.whl",
      "fast-1-cp312-cp312-manylinux_2_17_x86_64.whl", "fast-1-cp312-cp312-manylinux_2_17_aarch64.whl",
      "narrow-1-cp312-cp312-manylinux_2_17_x86_64.whl",
    ])
    try world.require("app")
    #expect(
      try await names(world.mirror(architectures: [.amd64, .arm64])) == [
        "app-1-py3-none-any.whl", "arm-1-py3-none-any.whl", "fast-1-cp312-cp312-manylinux_2_17_aarch64.whl",
        "fast-1-cp312-cp312-manylinux_2_17_x86_64.whl",
      ])
    try world.require("narrow")
    let error = await #expect(throws: PythonIndexError.self) {
      try await world.mirror(architectures: [.amd64, .arm64]).resolve { _ in }
    }
    #expect(error?.description.contains("that Python 3.12 on arm64 can install") == true)
    #expect(error?.description.contains("on amd64") == false)
  }

  @Test("a dependency of some patch levels of a Python is carried")
  func patchLevels() async throws {
    let world = try await PythonWorld()
    try await world.make([
      """
      app-1-py3-none-any.whl | | early; python_full_version < "3.12.4" \
      | late; python_full_version >= "3.12.4" | never; python_full_version < "3.11.4"
      """,
      "early-1-py3-none-any.whl", "late-1-py3-none-any.whl", "never-1-py3-none-any.whl",
    ])
    try world.require("app")
    #expect(
      try await names(world.mirror())
        == ["app-1-py3-none-any.whl", "early-1-py3-none-any.whl", "late-1-py3-none-any.whl"])
  }

  @Test("each Python gets its wheel, the one that most systems accept")
  func platforms() async throws {
    let world = try await PythonWorld()
    let oldest = "manylinux_2_17_x86_64.manylinux2014_x86_64"
    try await world.make([
      "native-1-cp311-cp311-\(oldest).whl", "native-1-cp312-cp312-\(oldest).whl",
      "native-1-cp312-cp312-manylinux_2_28_x86_64.whl", "native-1-cp312-cp312-musllinux_1_2_x86_64.whl",
      "native-1-cp312-cp312-manylinux2014_aarch64.whl", "fresh-1-py3-none-manylinux_2_34_x86_64.whl",
      "fresh-0.9-py3-none-manylinux_2_28_x86_64.whl",
    ])
    try world.require("native", "fresh")
    #expect(
      try await names(world.mirror(pythons: [12, 11])) == [
        "fresh-0.9-py3-none-manylinux_2_28_x86_64.whl", "native-1-cp311-cp311-\(oldest).whl",
        "native-1-cp312-cp312-\(oldest).whl",
      ])
    #expect(
      try await names(world.mirror(glibcMinor: 34)) == [
        "fresh-1-py3-none-manylinux_2_34_x86_64.whl", "native-1-cp312-cp312-\(oldest).whl",
      ])
  }

  @Test("a requirement without a wheel is an error with pip's reason, and nothing is built")
  func noWheel() async throws {
    let world = try await PythonWorld()
    try await world.make(["app-1-py3-none-any.whl | | deep>=2", "deep-1-py3-none-any.whl", "deep-2.tar.gz"])
    try world.require("app")
    let error = await #expect(throws: PythonIndexError.self) {
      _ = try await names(world.mirror(pythons: [11, 12], sources: true))
    }
    let text = "\(try #require(error))"
    #expect(text.contains("Python 3.11 on amd64") && text.contains("Python 3.12 on amd64"))
    #expect(text.contains("deep>=2") && text.contains(world.requirements[0].string))
    #expect(!FileManager.default.fileExists(atPath: world.folder.appending("packages/BUILT").string))
  }

  @Test(
    "what would have to be built is refused before it is fetched",
    arguments: ["git+file:///nowhere/x", "./tree"])
  func buildRefused(line: String) async throws {
    let world = try await PythonWorld()
    let tree = world.folder.appending("tree")
    try FileManager.default.createDirectory(atPath: tree.string, withIntermediateDirectories: true)
    try "open('BUILT', 'w')".write(
      toFile: tree.appending("setup.py").string, atomically: true, encoding: .utf8)
    try world.require(line.replacing("./tree", with: tree.string))
    let error = await #expect(throws: PythonIndexError.self) { _ = try await names(world.mirror()) }
    #expect("\(try #require(error))".contains("no wheel"))
    #expect(!FileManager.default.fileExists(atPath: tree.appending("BUILT").string))
  }

  @Test("an extra package need not agree with the requirements, nor have a wheel")
  func extras() async throws {
    let world = try await PythonWorld()
    try await world.make([
      "tool-1-py3-none-any.whl", "tool-2-py3-none-any.whl", "tool-2.tar.gz", "source_only-1.tar.gz",
      "source_only-3.tar.gz",
    ])
    try world.require("tool==2")
    let extra = ["tool<2", "source_only<2"]
    let full = try await world.mirror(extra: extra, sources: true).resolve { _ in }
    #expect(
      full.names == [
        "source_only-1.tar.gz", "tool-1-py3-none-any.whl", "tool-2-py3-none-any.whl", "tool-2.tar.gz",
      ])
    #expect(full.files.allSatisfy { $0.digest != nil })
    #expect(
      full.warnings.count == 1 && full.warnings[0].contains("source_only<2 has no wheel for Python 3.12"))
    let wheels = try await world.mirror(extra: extra).resolve { _ in }
    #expect(wheels.names == ["tool-1-py3-none-any.whl", "tool-2-py3-none-any.whl"])
    #expect(wheels.warnings.first?.contains("left out") == true)
    #expect(!FileManager.default.fileExists(atPath: world.folder.appending("packages/BUILT").string))
  }

  @Test("an extra package that no index knows is an error", arguments: ["misspelt", "no name!", "--pre"])
  func unknownExtra(name: String) async throws {
    let world = try await PythonWorld()
    let error = await #expect(throws: PythonIndexError.self) {
      _ = try await names(world.mirror(extra: [name]))
    }
    #expect("\(try #require(error))".contains("the extra requirements"))
  }

  @Test("requirement files that contradict each other are carried side by side, with a warning")
  func contradiction() async throws {
    let world = try await PythonWorld()
    try await world.make(["tool-1-py3-none-any.whl", "tool-2-py3-none-any.whl"])
    try world.require("tool==1")
    try world.require("tool>1")
    let resolution = try await world.mirror().resolve { _ in }
    #expect(resolution.names == ["tool-1-py3-none-any.whl", "tool-2-py3-none-any.whl"])
    #expect(resolution.warnings.count == 1 && resolution.warnings[0].contains("cannot be installed together"))
  }

  @Test("the file of the index is preferred to a local copy; a file that is only here is taken from here")
  func findLinks() async throws {
    let world = try await PythonWorld()
    try await world.make(["tool-1-py3-none-any.whl"])
    try await world.make(
      ["tool-1-py3-none-any.whl", "here-1-py3-none-any.whl"], into: "links", served: false)
    world.environment["PIP_FIND_LINKS"] = world.folder.appending("links").string
    try world.require("tool", "here")
    let files = try await world.mirror().resolve { _ in }.files
    #expect(files.map { $0.url.prefix(4) } == ["file", "http"])
    #expect(files.allSatisfy { $0.digest != nil } && files[0].size != nil)
  }

  @Test("credentials of an index reach the URLs to fetch, and nothing that is shown")
  func credentials() async throws {
    let world = try await PythonWorld()
    world.authorization = "Basic " + Data("me:p@ss:word".utf8).base64EncodedString()
    world.environment["PIP_INDEX_URL"] =
      world.server.url("/simple/").replacing("://", with: "://me:p%40ss%3Aword@")
    try await world.make(["tool-1-py3-none-any.whl"])
    try world.require("tool")
    let mirror = try world.mirror()
    let url = try #require(try await mirror.resolve { _ in }.files.first?.url)
    let fetched = try await Command("curl", ["-sf", url]).run()
    #expect(fetched.status == 0 && url.contains("me:"))
    try world.require("missing")
    let error = await #expect(throws: PythonIndexError.self) { _ = try await names(world.mirror()) }
    for shown in ["\(try #require(error))", try await mirror.inputs()] {
      #expect(!shown.contains("p%40ss") && !shown.contains("p@ss"))
    }
  }

  @Test("the inputs change with the requirements, also with those of a file that is named in one")
  func inputs() async throws {
    let world = try await PythonWorld()
    let nested = world.folder.appending("nested.txt")
    try "tool==1".write(toFile: nested.string, atomically: true, encoding: .utf8)
    try world.require("-r nested.txt")
    let before = try await world.mirror().inputs()
    #expect(try await world.mirror().inputs() == before)
    try "tool==2".write(toFile: nested.string, atomically: true, encoding: .utf8)
    let after = try await world.mirror().inputs()
    #expect(after != before && after.contains(world.server.url("/simple/")))
    let other = try await world.mirror(pythons: [13]).inputs()
    #expect(other != after)
  }

  @Test("a requirement file that is not there is an error that names it")
  func missingFile() async throws {
    let world = try await PythonWorld()
    world.requirements = [FilePath("/nowhere/requirements.txt")]
    let error = await #expect(throws: PythonIndexError.self) { _ = try await world.mirror().inputs() }
    #expect("\(try #require(error))".contains("/nowhere/requirements.txt"))
  }
}
