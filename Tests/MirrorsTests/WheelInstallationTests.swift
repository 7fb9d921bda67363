import Cache
import Foundation
import Host
import SystemPackage
import TestServer
import Testing

@testable import Mirrors

@Suite("Wheels for an image")
struct WheelInstallationTests {
  private func install(_ world: PythonWorld, python: Int, from name: String = "wheels of it") async throws
    -> (names: [String], folder: FilePath)
  {
    let folder = world.folder.appending("installed")
    let requirements = try #require(world.requirements.first)
    let names = try await world.mirror(pythons: [python]).install(
      requirements, python: python, on: .amd64, glibcMinor: 36, from: world.folder.appending(name),
      runBy: "/opt/ansible/bin/python3", into: folder)
    return (names, folder)
  }

  @Test("what another Python needs is installed from the files alone, and tells nothing of this machine")
  func otherPython() async throws {
    let world = try await PythonWorld()
    try await world.make(
      [
        "app-1-py3-none-any.whl | | backport; python_version < '3.10' | native",
        "backport-1-py3-none-any.whl",
        "native-2-cp314-cp314-manylinux_2_28_x86_64.whl", "native-2-cp39-cp39-manylinux_2_28_x86_64.whl",
        "unasked-1-py3-none-any.whl",
      ], into: "wheels of it", served: false)
    try world.require("app")
    let (names, folder) = try await install(world, python: 14)
    #expect(names == ["app==1", "native==2"])
    let files = FileManager.default
    #expect(files.fileExists(atPath: folder.appending("app.py").string))
    #expect(!files.fileExists(atPath: folder.appending("backport.py").string))
    let info = try files.contentsOfDirectory(atPath: folder.appending("app-1.dist-info").string)
    #expect(!info.contains("direct_url.json"))
    let texts = try files.subpathsOfDirectory(atPath: folder.string).compactMap {
      try? String(contentsOfFile: folder.appending($0).string, encoding: .utf8)
    }
    #expect(!texts.contains { $0.contains(world.folder.string) })
    #expect(world.server.requests.isEmpty)
  }

  @Test("programs are run by the image's Python")
  func programs() async throws {
    let world = try await PythonWorld()
    try await world.make(["app-1-py3-none-any.whl"], into: "wheels of it", served: false)
    let add = """
      import sys, zipfile
      with zipfile.ZipFile(sys.argv[1], "a") as wheel:
          wheel.writestr("app-1.dist-info/entry_points.txt", "[console_scripts]\\napp = app:version\\n")
      """
    let wheel = world.folder.appending("wheels of it/app-1-py3-none-any.whl")
    _ = try await Command("python3", ["-c", add, wheel.string]).output()
    try world.require("app")
    let (_, folder) = try await install(world, python: 12)
    let text = try String(contentsOfFile: folder.appending("bin/app").string, encoding: .utf8)
    #expect(text.hasPrefix("#!/opt/ansible/bin/python3\n"))
  }

  @Test("a wheel that is not there is an error with pip's reason")
  func missing() async throws {
    let world = try await PythonWorld()
    try await world.make(["app-1-cp311-cp311-manylinux_2_28_x86_64.whl"], into: "wheels of it", served: false)
    try world.require("app")
    let error = try await #require(throws: PythonIndexError.self) { _ = try await install(world, python: 12) }
    #expect("\(error)".contains("Python 3.12") && "\(error)".contains("app"))
  }
}

@Suite("Packages for an image", .enabled(if: findExecutable("apt-get") != nil, "apt-get is needed"))
struct DebianAdditionsTests {
  @Test("only what the image lacks is taken, by apt's own solver, from the bundle's repository")
  func closure() async throws {
    let archive = try DebianArchive()
    try archive.publish([
      .init(name: "openssh-client", fields: ["Depends: libc, libedit"]), .init(name: "libc"),
      .init(name: "libedit"), .init(name: "rsync"),
    ])
    let resolution = try await archive.resolve("openssh-client", "rsync")
    try await archive.makeIndex(resolution)
    var additions = DebianAdditions(
      repository: archive.content, architecture: .amd64,
      cache: try Cache(archive.root.appending("image cache")))
    #expect(additions.isThere)
    additions.host = AptHost(etc: archive.etc, target: nil)
    let status = "Package: libc\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"
    let files = try await additions.files(for: ["openssh-client", "sshpass"], on: Array(status.utf8))
    #expect(
      files.compactMap(\.lastComponent?.string) == ["libedit_1_amd64.deb", "openssh-client_1_amd64.deb"])
  }
}
