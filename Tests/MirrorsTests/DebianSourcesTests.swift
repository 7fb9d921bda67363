import Bundle
import Cache
import Foundation
import Host
import Integrity
import SystemPackage
import Testing

@testable import Mirrors

/// How apt's files of sources are read and turned into those of another release.
@Suite("Debian sources")
struct DebianSourcesTests {
  private let bookworm = try? PackageTarget(named: "debian-12")

  @Test("Both forms are read alike; comments, source packages and what is switched off are not")
  func forms() {
    let lines = AptSource.parse(
      """
      # deb http://example.com/no bookworm main
      deb [arch=amd64,arm64 signed-by=/k.gpg] http://example.com/debian bookworm main contrib # why
      deb-src http://example.com/debian bookworm main
      """, file: "a.list")
    let paragraphs = AptSource.parse(
      """
      Types: deb deb-src
      # between
      URIs: http://example.com/debian
      Suites: bookworm
      Components: main contrib
      Architectures: amd64 arm64
      Signed-By: /k.gpg

      Enabled: no
      Types: deb
      URIs: http://example.com/off
      Suites: bookworm
      Components: main

      Types: deb-src
      URIs: http://example.com/sources
      Suites: bookworm
      Components: main
      """, file: "a.list")
    #expect(lines == paragraphs)
    #expect(lines.count == 1)
    #expect(lines.first?.options == ["Architectures": "amd64 arm64", "Signed-By": "/k.gpg"])
  }

  @Test(
    "What apt's reader takes is taken",
    arguments: [
      ("deb http://a.example/d bookworm main\r\n", "http://a.example/d bookworm main []"),
      ("\tdeb\thttp://a.example/d\tbookworm  main", "http://a.example/d bookworm main []"),
      ("deb http://a.example/d bookworm main#why", "http://a.example/d bookworm main []"),
      ("deb http://a.example/d ./", "http://a.example/d ./  []"),
      (
        "deb [ trusted=yes arch+=arm64 lang=none ] http://a.example/d /",
        "http://a.example/d /  "
          + "[Architectures-Add: arm64, Languages: none, Trusted: yes]"
      ),
      (
        "deb [signed-by=/a#b.gpg] http://a.example/d x main",
        "http://a.example/d x main [Signed-By: /a#b.gpg]"
      ),
      (
        "deb [signed-by=/a.gpg,/b.gpg by-hash=no] http://a.example/d x main",
        "http://a.example/d x main [By-Hash: no, Signed-By: /a.gpg /b.gpg]"
      ),
      ("deb cdrom:[Debian GNU/Linux 12]/ bookworm main", "cdrom:[Debian%20GNU/Linux%2012]/ bookworm main []"),
      ("deb \"http://a.example/d\" x main", "http://a.example/d x main []"),
      ("deb-src http://a.example/d x main", ""), ("rpm http://a.example/d x main", ""),
      ("deb http://a.example/d", ""),
      (
        "types: DEB deb\nuris: http://a.example/d\n  http://b.example/d\nSUITES: x y\ncomponents: main\nsigned-by: /k",
        "http://a.example/d http://b.example/d x y main [Signed-By: /k]"
      ),
      ("\u{feff}Types: deb\r\nURIs: http://a.example/d\r\nSuites: ./\r\n", "http://a.example/d ./  []"),
      ("Types: deb\nURIs: http://a.example/d\nSuites: x\nComponents: main\nEnabled: false", ""),
      (
        "Types: deb\nURIs: http://a.example/d\nSuites: x\nComponents: main\nEnabled: yes\n# \nTrusted: yes",
        "http://a.example/d x main [Trusted: yes]"
      ),
    ])
  func reading(_ text: String, _ expected: String) {
    let found = AptSource.parse(text, file: "a.list").map { source in
      let options = source.options.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
      let words = [source.uris, source.suites, source.components].map { $0.joined(separator: " ") }
      return "\(words.joined(separator: " ")) [\(options.joined(separator: ", "))]"
    }
    #expect(found == (expected.isEmpty ? [] : [expected]))
  }

  @Test(
    "Names of files that apt passes over are passed over",
    arguments: [
      ("a.list", true), ("a.sources", true), ("a b.list", false), ("a.list.save", false), (".a.list", false),
      ("a.list~", false), ("a+b.list", false), ("a.disabled", false), ("A_b-1.x.list", true),
    ])
  func fileNames(_ name: String, _ isTaken: Bool) {
    #expect(AptSource.isFileName(name, [".list", ".sources"]) == isTaken)
  }

  @Test("For another architecture: sources of others are left out, and Ubuntu's lie on hosts of their own")
  func architectures() {
    let sources = AptSource.parse(
      """
      deb http://de.archive.ubuntu.com/ubuntu noble main
      deb http://security.ubuntu.com/ubuntu/ noble-security main
      deb [arch=amd64] https://download.docker.com/linux/ubuntu noble stable
      deb [arch=amd64,arm64] https://example.com/ubuntu noble main
      """, file: "a.list")
    #expect(sources.compactMap { $0.serving(.amd64) }.map(\.uris) == sources.map(\.uris))
    let arm = sources.compactMap { $0.serving(.arm64) }
    #expect(
      arm.map(\.uris) == [
        ["http://ports.ubuntu.com/ubuntu-ports"], ["http://ports.ubuntu.com/ubuntu-ports/"],
        ["https://example.com/ubuntu"],
      ])
    #expect(arm.last?.options == ["Architectures": "arm64"])
    #expect(arm.first?.serving(.amd64)?.uris == ["http://archive.ubuntu.com/ubuntu"])
  }

  @Test("A key in the paragraph itself is kept")
  func embeddedKey() throws {
    let text = """
      Types: deb
      URIs: http://example.com/debian
      Suites: bookworm
      Components: main
      Signed-By:
       -----BEGIN PGP PUBLIC KEY BLOCK-----
       .
       abc
       -----END PGP PUBLIC KEY BLOCK-----

      """
    let source = try #require(AptSource.parse(text, file: "a.sources").first)
    let again = try #require(AptSource.parse(source.deb822, file: "a.sources").first)
    #expect(again == source)
    #expect(again.deb822.contains("\n .\n abc\n"))
  }

  @Test(
    "Another release has the suites with its codename; third parties with other suites are dropped",
    arguments: [
      ("debian-13", "bookworm bookworm-updates", "main non-free-firmware", "trixie trixie-updates"),
      ("debian-13", "bookworm-security", "main", "trixie-security"),
      ("debian-11", "bookworm", "main non-free-firmware", "bullseye"),
      ("debian-13", "nodistro", "main", nil), ("debian-13", "cloud-sdk-bookworm", "main", nil),
      ("debian-13", "stable", "main", nil), ("debian-13", "bookwormish", "main", nil),
      ("debian-11", "bookworm", "non-free-firmware", nil),
    ])
  func derived(_ name: String, _ suites: String, _ components: String, _ expected: String?) throws {
    let text = "Types: deb\nURIs: http://example.com/debian\nSuites: \(suites)\nComponents: \(components)\n"
    let source = try #require(AptSource.parse(text, file: "a.sources").first)
    let target = try PackageTarget(named: name)
    let derived = source.derived(from: try #require(bookworm), for: target)
    #expect(derived?.suites.joined(separator: " ") == expected)
    if name == "debian-11" { #expect(derived?.components.contains("non-free-firmware") != true) }
  }

  @Test(
    "The distribution's own sources are told from others that name their suites alike",
    arguments: [
      ("deb http://example.com/debian bookworm main", true),
      ("deb http://example.com/debian-security bookworm-security main contrib", true),
      (
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://example.com/x bookworm main",
        true
      ),
      ("deb http://example.com/docker bookworm stable", false),
      ("deb [signed-by=/usr/share/keyrings/vendor.gpg] http://example.com/vendor bookworm main", false),
      ("deb http://example.com/pg bookworm-pgdg main", false), ("deb http://example.com/flat ./", false),
    ])
  func distribution(_ line: String, _ expected: Bool) throws {
    let source = try #require(AptSource.parse(line, file: "a.list").first)
    #expect(source.isDistribution(try #require(bookworm)) == expected)
  }
}

/// This machine's own sources, with real packages.
@Suite(
  "Debian repositories from this machine's sources", .serialized,
  .enabled(if: AptHost().target?.id == "debian", "needs a machine that runs a supported Debian"))
struct DebianHostTests {
  private func resolve(_ target: PackageTarget, _ names: [String]) async throws -> MirrorResolution {
    // With the build products: the next run then asks only for what changed.
    let cache = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
      .appending(".build/test-environments/apt")
    return try await DebianRepository(
      folder: try BundlePath("debs/local"), architectures: [Architecture.current],
      wanted: names.map { WantedPackage(name: $0, origin: "test") },
      lists: DebianLists(target: target, sources: nil, cache: try Cache(cache)),
      signingKey: .made(for: "a test")
    ).resolve { _ in }
  }

  @Test("A small closure of this release is whole and has SHA-256 digests")
  func host() async throws {
    let resolution = try await resolve(try #require(AptHost().target), ["curl", "chrony", "ntpsec"])
    let names = Set(resolution.files.map { String($0.path.dropFirst(5).prefix { $0 != "_" }) })
    #expect(names.isSuperset(of: ["curl", "chrony", "ntpsec", "libc6", "dpkg", "bash", "coreutils"]))
    #expect(resolution.files.allSatisfy { $0.digest?.algorithm == .sha256 && ($0.size ?? 0) > 0 })
    #expect(
      resolution.files.allSatisfy { $0.url.contains("/pool/") && !$0.path.contains { ":%".contains($0) } })
    #expect(Set(resolution.files.map(\.path)).count == resolution.files.count)
  }

  @Test("The next release is found by exchanging the codename in this machine's sources")
  func derived() async throws {
    let host = try #require(AptHost().target)
    let other = try PackageTarget(named: host.name == "debian-13" ? "debian-12" : "debian-13")
    let resolution = try await resolve(other, ["python3"])
    let minor = try #require(other.pythonMinor)
    #expect(resolution.files.contains { $0.path.hasPrefix("pkgs/python3.\(minor)_3.\(minor).") })
  }
}
