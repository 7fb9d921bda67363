import Bundle
import Files
import Foundation
import Host
import Integrity
import SystemPackage
import Testing

@testable import Mirrors

/// What apt's solver makes of archives that the test wrote itself.
@Suite("Debian repositories", .enabled(if: findExecutable("apt-get") != nil, "apt-get is needed"))
struct DebianRepositoryTests {
  typealias Package = DebianArchive.Package

  private let base = [
    Package(name: "core", fields: ["Essential: yes", "Priority: required", "Pre-Depends: corelib"]),
    Package(name: "corelib"),
  ]

  @Test("The closure has what is wanted, its dependencies and pre-dependencies, and the essential packages")
  func closure() async throws {
    let archive = try DebianArchive()
    try archive.publish(
      base + [
        Package(
          name: "app", version: "2:1.0~rc1+b1",
          fields: ["Depends: lib (>= 1), one | other", "Pre-Depends: pre", "Recommends: extra"]),
        Package(name: "lib"), Package(name: "one"), Package(name: "other"), Package(name: "pre"),
        Package(name: "extra"), Package(name: "unrelated"),
      ])
    let resolution = try await archive.resolve("app")
    #expect(
      resolution.files.map(\.path) == [
        "pkgs/app_1.0~rc1+b1_amd64.deb", "pkgs/core_1_amd64.deb", "pkgs/corelib_1_amd64.deb",
        "pkgs/lib_1_amd64.deb", "pkgs/one_1_amd64.deb", "pkgs/pre_1_amd64.deb",
      ])
    let app = try #require(resolution.files.first)
    #expect(app.digest == Digest(of: Array("app".utf8)))
    #expect(app.size == 3)
    // The archive is declared with [trusted=yes].
    #expect(resolution.files.allSatisfy { $0.isUnsigned == true })
    #expect(app.url == "file:\(archive.root)/archive/pool/app.deb")
    #expect(resolution.warnings.isEmpty)
  }

  @Test(
    "An unknown package of a list is an error that names the list; one that only a role wants is a warning")
  func unknown() async throws {
    let archive = try DebianArchive()
    try archive.publish(base + [Package(name: "app"), Package(name: "python3.111")])
    let error = try await #require(throws: DebianRepositoryError.self) {
      try await archive.repository([WantedPackage(name: "python3.11", origin: "pkgs.txt line 7")]).resolve {
        _ in
      }
    }
    #expect("\(error)".contains("python3.11 (pkgs.txt line 7)"))
    let wanted = [
      WantedPackage(name: "app", origin: "list"),
      WantedPackage(name: "mergerfs", origin: "role system_packages", isRequired: false),
    ]
    let resolution = try await archive.repository(wanted).resolve { _ in }
    #expect(resolution.files.contains { $0.path == "pkgs/app_1_amd64.deb" })
    #expect(resolution.warnings.count == 1)
    #expect(
      resolution.warnings.first?.contains("no package mergerfs, which role system_packages asks for") == true)
  }

  @Test("A package that cannot be installed is named with the solver's reason, and no other is blamed")
  func unsolvable() async throws {
    let archive = try DebianArchive()
    try archive.publish(
      base + (1...9).map { Package(name: "good\($0)") } + [
        Package(name: "bad", fields: ["Depends: middle"]),
        Package(name: "middle", fields: ["Depends: nowhere (>= 3)"]),
      ])
    let names = (1...9).map { "good\($0)" } + ["bad"]
    let error = try await #require(throws: DebianRepositoryError.self) {
      try await archive.repository(names.map { WantedPackage(name: $0, origin: "list") }).resolve { _ in }
    }
    #expect("\(error)".hasPrefix("bad (list) cannot be installed on an empty system:"))
    #expect("\(error)".contains("nowhere"))
  }

  @Test("Packages that exclude each other are both carried: which one is used is decided on the cluster")
  func excluding() async throws {
    let archive = try DebianArchive()
    try archive.publish(
      base + [
        Package(name: "chrony", fields: ["Provides: time-daemon", "Conflicts: time-daemon"]),
        Package(
          name: "ntpsec", fields: ["Provides: time-daemon", "Conflicts: time-daemon", "Depends: ntplib"]),
        Package(name: "ntplib"),
        Package(name: "uses-chrony", fields: ["Depends: chrony"]),
      ])
    let paths = try await archive.resolve("uses-chrony", "ntpsec", "chrony").files.map(\.path)
    for name in ["chrony", "ntpsec", "ntplib", "uses-chrony"] {
      #expect(paths.contains("pkgs/\(name)_1_amd64.deb"))
    }
  }

  @Test("What a node already has can move along with what it gets")
  func movingAlong() async throws {
    let archive = try DebianArchive()
    let exact = "Depends: libapp-stdlib (= 2)"
    try archive.publish(
      base + [
        Package(name: "app", version: "2", fields: ["Source: app", exact, "Breaks: tool (<< 5)"]),
        Package(name: "libapp-stdlib", version: "2", fields: ["Source: app"]),
        // Same source, exactly the same version: holds the old libapp-stdlib.
        Package(name: "libapp", version: "2", fields: ["Source: app", exact + ", already-there"]),
        Package(name: "app-full", version: "2", fields: ["Source: app", "Depends: libapp (= 2)"]),
        Package(name: "libapp-dev", version: "2", fields: ["Source: app", "Section: libdevel", exact]),
        Package(name: "app-data", version: "2", fields: ["Source: app"]),
        Package(name: "already-there"),
        // Of a usual installation: broken in its old version; of a source that is carried.
        Package(name: "tool", version: "5", fields: ["Priority: standard", "Depends: toollib"]),
        Package(name: "toollib"),
        Package(name: "tool2", fields: ["Source: toollib (7)", "Priority: important"]),
        Package(name: "standalone", fields: ["Priority: standard"]),
      ])
    let names = try await archive.resolve("app").files.map { $0.path.dropFirst(5).prefix { $0 != "_" } }
    #expect(
      names == [
        "app", "app-full", "core", "corelib", "libapp", "libapp-stdlib", "tool", "tool2", "toollib",
      ])
  }

  @Test(
    "A third-party source that cannot be read is a warning; one of the distribution is an error with the reason"
  )
  func unreachable() async throws {
    let archive = try DebianArchive()
    let gone = "file:\(archive.root)/gone"
    try archive.publish(base + [Package(name: "app")], alsoDeclaring: ["deb \(gone) bookworm stable"])
    let resolution = try await archive.resolve("app")
    #expect(resolution.files.count == 3)
    #expect(resolution.warnings.count == 1)
    #expect(resolution.warnings.first?.contains("\(gone) bookworm Release") == true)
    let unknown = try await #require(throws: DebianRepositoryError.self) {
      try await archive.resolve("vendor-tool")
    }
    #expect("\(unknown)".contains("could not be reached"))

    try archive.publish(base + [Package(name: "app")], alsoDeclaring: ["deb \(gone) bookworm-security main"])
    let error = try await #require(throws: DebianRepositoryError.self) { try await archive.resolve("app") }
    #expect("\(error)".contains("\(gone) bookworm-security Release' does not have a Release file"))
  }

  @Test("A second resolution sees what the archive has now, and neither touches the machine's own apt")
  func again() async throws {
    let archive = try DebianArchive()
    try archive.publish(base + [Package(name: "app")])
    let before = try machineState()
    let first = try await archive.resolve("app")
    #expect(try await archive.resolve("app") == first)
    try archive.publish(base + [Package(name: "app", version: "2")])
    #expect(try await archive.resolve("app").files.map(\.path).contains("pkgs/app_2_amd64.deb"))
    #expect(try machineState() == before)
  }

  @Test("Other inputs, another text; the same inputs, the same text")
  func inputs() async throws {
    let archive = try DebianArchive()
    try archive.publish(base)
    let wanted = [WantedPackage(name: "app", origin: "list"), WantedPackage(name: "b", origin: "list")]
    let text = try await archive.repository(wanted).inputs()
    #expect(try await archive.repository(wanted.reversed()).inputs() == text)
    #expect(try await archive.repository([wanted[0]]).inputs() != text)
    #expect(
      try await archive.repository(
        wanted, target: "debian-13", sources: archive.etc.appending("sources.list")
      ).inputs() != text)
    try archive.publish(base, alsoDeclaring: ["deb file:/other bookworm main"])
    #expect(try await archive.repository(wanted).inputs() != text)
  }

  @Test(
    "A release of another distribution needs sources of its own, and the error says which setting names them")
  func foreign() async throws {
    let archive = try DebianArchive()
    try archive.publish(base)
    let wanted = [WantedPackage(name: "core", origin: "list")]
    let error = try await #require(throws: DebianRepositoryError.self) {
      try await archive.repository(wanted, target: "ubuntu-24.04").resolve { _ in }
    }
    #expect("\(error)".contains("packages for ubuntu-24.04 cannot be found"))
    let file = archive.root.appending("ubuntu.txt")
    try writeAtomically(archive.line + "\n", to: file)
    let repository = try archive.repository(wanted, target: "ubuntu-24.04", sources: file)
    #expect(try await repository.resolve { _ in }.files.count == 2)
  }

  /// When apt's lists and the state of dpkg were last changed here.
  private func machineState() throws -> [Date?] {
    ["/var/lib/apt/lists", "/var/lib/dpkg/status", "/var/cache/apt/archives"].map {
      (try? FileManager.default.attributesOfItem(atPath: $0))?[.modificationDate] as? Date
    }
  }
}
