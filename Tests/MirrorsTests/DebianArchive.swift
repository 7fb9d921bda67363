import Bundle
import Cache
import Files
import Foundation
import Host
import Integrity
import SystemPackage

@testable import Mirrors

/// A folder of the test's own with an apt archive, the machine that uses it, and what is made of it.
final class DebianArchive: Sendable {
  let root: FilePath

  init() throws {
    root = try createTemporaryFolder(named: "debian-archive-test")
    for name in ["etc", "dists", "content/pkgs", "index", "cache"] {
      try createDirectories(root.appending(name))
    }
  }

  deinit { try? removeTree(root) }

  var etc: FilePath { root.appending("etc") }
  var content: FilePath { root.appending("content") }

  /// The line that declares the archive.
  var line: String { "deb [trusted=yes] file:\(root)/archive bookworm main" }

  /// A package of an archive, whose file has its name as content.
  struct Package {
    var name: String
    var version = "1"
    var fields: [String] = []
    /// `all`, or nil for what is there for each architecture.
    var architecture: String?

    func paragraph(for machine: String) -> String {
      let bytes = Array(name.utf8)
      return """
        Package: \(name)
        Version: \(version)
        Architecture: \(architecture ?? machine)
        Maintainer: nobody
        \(fields.joined(separator: "\n"))
        Filename: pool/\(name).deb
        Size: \(bytes.count)
        SHA256: \(Digest(of: bytes).hex)
        Description: test

        """.replacing("\n\n", with: "\n")
    }
  }

  /// Writes the archive and declares it, with other lines, as the sources of the machine.
  func publish(_ packages: [Package], alsoDeclaring lines: [String] = [], origin: String = "Debian") throws {
    let suite = root.appending("archive/dists/bookworm")
    var lists: [String] = []
    for machine in ["amd64", "arm64"] {
      let folder = "main/binary-\(machine)"
      try createDirectories(suite.pushing(FilePath(folder)))
      let list = packages.map { $0.paragraph(for: machine) }.joined(separator: "\n")
      try writeAtomically(list, to: suite.pushing(FilePath(folder)).appending("Packages"))
      lists.append(" \(Digest(of: Array(list.utf8)).hex) \(list.utf8.count) \(folder)/Packages")
    }
    try writeAtomically(
      """
      Origin: \(origin)
      Codename: bookworm
      Suite: oldstable
      Date: Wed, 01 Jan 2025 00:00:00 UTC
      Architectures: amd64 arm64
      Components: main
      SHA256:
      \(lists.joined(separator: "\n"))

      """, to: suite.appending("Release"))
    try writeAtomically(
      ([line] + lines).joined(separator: "\n") + "\n", to: etc.appending("sources.list"))
  }

  /// A repository of these packages, for a machine that runs Debian 12 with the archive as its source.
  func repository(
    _ wanted: [WantedPackage], target: String = "debian-12", sources: FilePath? = nil, key: SigningKey? = nil,
    architectures: [Architecture] = [.amd64]
  ) throws -> DebianRepository {
    let host = AptHost(etc: etc, target: try PackageTarget(named: "debian-12"))
    let lists = DebianLists(
      target: try PackageTarget(named: target), sources: sources, cache: try Cache(root.appending("cache")),
      host: host)
    return DebianRepository(
      folder: try BundlePath("debs/local"), architectures: architectures, wanted: wanted, lists: lists,
      signingKey: key ?? .made(for: "a test"))
  }

  func resolve(_ names: String...) async throws -> MirrorResolution {
    try await repository(names.map { WantedPackage(name: $0, origin: "list") }).resolve { _ in }
  }

  /// Puts the files of a resolution where the engine would, and makes the index beside them.
  @discardableResult
  func makeIndex(
    _ resolution: MirrorResolution, key: SigningKey? = nil, architectures: [Architecture] = [.amd64]
  ) async throws -> String? {
    for file in resolution.files {
      let name = file.path.dropFirst("pkgs/".count).prefix { $0 != "_" }
      try writeAtomically(String(name), to: content.appending(file.path))
    }
    return try await repository([], key: key, architectures: architectures).makeIndex(
      of: resolution, in: content, to: content)
  }

  /// An apt that knows nothing but the finished repository.
  func client(
    _ options: String, suite: String = "./", architecture: Architecture = .amd64
  ) async throws -> AptRoot {
    let line = "deb [\(options)] file:\(content) \(suite)"
    return try await AptRoot(
      root.appending("client"), host: etc, origin: .text(line),
      declared: AptSource.parse(line, file: "client.list"), architecture: architecture)
  }
}

/// A throw-away GnuPG key, exported.
struct TestKey {
  let file: FilePath

  init(in folder: FilePath, name: String = "key", passphrase: String = "") async throws {
    // Short: the agent's socket lies in it.
    let home = try createTemporaryFolder(in: "/tmp", named: "key")
    defer { try? removeTree(home) }
    file = folder.appending("\(name).gpg")
    let options = ["--homedir", home.string, "--batch", "--quiet", "--pinentry-mode", "loopback"]
    let secret = options + ["--passphrase", passphrase]
    _ = try await Command(
      "gpg", secret + ["--quick-generate-key", "\(name)@example.com", "ed25519", "sign", "never"]
    ).output()
    _ = try await Command("gpg", secret + ["--output", file.string, "--export-secret-keys"]).output()
    _ = try await Command("gpgconf", ["--homedir", home.string, "--kill", "all"]).run()
  }
}
