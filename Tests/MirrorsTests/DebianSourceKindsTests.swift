import Bundle
import Files
import Host
import Integrity
import SystemPackage
import TestServer
import Testing

@testable import Mirrors

/// Archives of every kind that apt takes, beside the distribution's.
@Suite("Kinds of Debian sources", .enabled(if: findExecutable("apt-get") != nil, "apt-get is needed"))
struct DebianSourceKindsTests {
  private let base = [
    DebianArchive.Package(name: "core", fields: ["Essential: yes", "Priority: required"]),
    DebianArchive.Package(name: "app"),
  ]

  /// Writes a flat archive with one package.
  private func flat(
    _ archive: DebianArchive, _ name: String, package: [DigestAlgorithm], release: [DigestAlgorithm]
  ) throws -> String {
    let folder = archive.root.appending(name)
    try createDirectories(folder)
    let content = Array(name.utf8)
    func fields(_ bytes: [UInt8], _ algorithms: [DigestAlgorithm]) -> [(String, String)] {
      algorithms.map { ($0.rawValue.uppercased(), Digest(of: bytes, algorithm: $0).hex) }
    }
    let sums = fields(content, package).map { "\($0): \($1)\n" }.joined()
    let list =
      "Package: \(name)\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nFilename: ./\(name)_1_all.deb\n"
      + "Size: \(content.count)\n\(sums)Description: test\n"
    try writeAtomically(content, to: folder.appending("\(name)_1_all.deb"))
    try writeAtomically(list, to: folder.appending("Packages"))
    let lists = fields(Array(list.utf8), release).map { "\($0):\n \($1) \(list.utf8.count) Packages\n" }
      .joined()
    try writeAtomically(
      "Origin: corp\nDate: Wed, 01 Jan 2025 00:00:00 UTC\n\(lists)", to: folder.appending("Release"))
    return "deb [trusted=yes] file:\(folder) ./"
  }

  @Test("SHA-512 will do, in the list of packages and in the release; SHA-256 counts where both are there")
  func strongChecksums() async throws {
    let archive = try DebianArchive()
    let lines = [
      try flat(archive, "tool", package: [.sha512], release: [.sha512]),
      try flat(archive, "mixed", package: [.sha512], release: [.sha256]),
      try flat(archive, "both", package: [.sha256, .sha512], release: [.sha256, .sha512]),
    ]
    try archive.publish(base, alsoDeclaring: lines)
    let resolution = try await archive.resolve("app", "tool", "mixed", "both")
    for (name, algorithm) in [("tool", DigestAlgorithm.sha512), ("mixed", .sha512), ("both", .sha256)] {
      let file = try #require(resolution.files.first { $0.path == "pkgs/\(name)_1_all.deb" })
      #expect(file.digest == Digest(of: Array(name.utf8), algorithm: algorithm))
    }
    // The finished repository serves them, too.
    try await archive.makeIndex(resolution)
    let client = try await archive.client("signed-by=\(archive.content)/kubespray-offline.asc")
    #expect(try await client.update(for: try PackageTarget(named: "debian-12")).isEmpty)
    let lists = try PackageLists(try await client.listFiles())
    #expect(lists.has("tool") && lists.has("mixed"))
    let outcome = try await DebianSolver(root: client, lists: lists).solve(["tool", "mixed"])
    #expect(outcome.failures.isEmpty && outcome.choices["tool"] != nil)
  }

  @Test("What apt logs in for is fetched with the same login, which nothing remembers")
  func login() async throws {
    let archive = try DebianArchive()
    _ = try flat(archive, "tool", package: [.sha256], release: [.sha256])
    let server = try TestServer()
    defer { server.stop() }
    for name in ["Packages", "Release"] {
      let bytes = try readBytes(archive.root.appending("tool").appending(name))
      server.route("/corp/./\(name)") { request in
        let isKnown = request[header: "Authorization"] == "Basic YW5uOnMzY3JldDox"
        return isKnown ? TestServer.Response(body: TestServer.Body(bytes)) : .text("", status: 401)
      }
    }
    try archive.publish(base, alsoDeclaring: ["deb [trusted=yes] \(server.url("/corp/")) ./"])
    let folder = archive.etc.appending("auth.conf.d")
    try createDirectories(folder)
    try writeAtomically(
      "machine \(server.url("/corp")) login ann password s3cret:1\n", to: folder.appending("corp.conf"))
    let repository = try archive.repository(["app", "tool"].map { WantedPackage(name: $0, origin: "list") })
    let resolution = try await repository.resolve { _ in }
    let file = try #require(resolution.files.first { $0.path == "pkgs/tool_1_all.deb" })
    #expect(!file.url.contains("s3cret"))
    #expect(
      repository.address(of: file).hasPrefix(
        server.url("/corp").replacing("http://", with: "http://ann:s3cret%3A1@")))
    let other = try #require(resolution.files.first { $0.path.hasPrefix("pkgs/app_") })
    #expect(repository.address(of: other) == other.url)
  }

  @Test("A package without a strong checksum is named")
  func weakChecksum() async throws {
    let archive = try DebianArchive()
    try archive.publish(base, alsoDeclaring: [try flat(archive, "weak", package: [], release: [.sha256])])
    let error = await #expect(throws: DebianRepositoryError.self) { try await archive.resolve("weak") }
    #expect("\(try #require(error))".contains("weak: file:"))
  }

  @Test(
    "A source that cannot be read is told whatever form it has, and the others serve",
    arguments: [
      "deb [trusted=yes] file:GONE ./", "deb file:GONE ./", "deb cdrom:[Disc 1]/ bookworm main",
      "deb-src file:GONE bookworm main",
    ])
  func gone(_ line: String) async throws {
    let archive = try DebianArchive()
    try archive.publish(
      base, alsoDeclaring: [line.replacing("GONE", with: "\(archive.root)/gone")])
    let resolution = try await archive.resolve("app")
    #expect(resolution.files.count == 2)
    #expect(
      resolution.warnings.count == 1 && resolution.warnings[0].contains("could not be read"),
      "\(resolution.warnings)")
  }

  @Test("Of several sources that are gone each is told")
  func severalGone() async throws {
    let archive = try DebianArchive()
    let gone = ["one", "two"].map { "file:\(archive.root)/\($0)" }
    try archive.publish(
      base,
      alsoDeclaring: ["deb [trusted=yes] \(gone[0]) ./", "deb \(gone[1]) x stable", "deb-src \(gone[1]) y z"])
    let warnings = try await archive.resolve("app").warnings.joined()
    #expect(warnings.contains(gone[0]) && warnings.contains(gone[1]), "\(warnings)")
  }

  @Test("Sources that a text file from Windows declares serve like others")
  func windows() async throws {
    let archive = try DebianArchive()
    try archive.publish(base)
    let file = archive.root.appending("ours.txt")
    try writeAtomically("\u{feff}# ours\r\n\(archive.line)\r\n\r\n", to: file)
    let wanted = [WantedPackage(name: "app", origin: "list")]
    let repository = try archive.repository(wanted, target: "ubuntu-24.04", sources: file)
    #expect(try await repository.resolve { _ in }.files.count == 2)
    try writeAtomically(Array("deb".utf16.flatMap { [UInt8($0), 0] }), to: file)
    let error = await #expect(throws: DebianRepositoryError.self) { try await repository.resolve { _ in } }
    #expect("\(try #require(error))".contains("ours.txt cannot be read: it is in UTF-16"))
  }
}
