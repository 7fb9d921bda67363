import Bundle
import Files
import Foundation
import Host
import SystemPackage
import Testing

@testable import Mirrors

/// The index over a repository, as apt itself takes it.
@Suite("Index of a Debian repository", .enabled(if: findExecutable("apt-get") != nil, "apt-get is needed"))
struct DebianIndexTests {
  private func resolved(_ archive: DebianArchive) async throws -> MirrorResolution {
    try archive.publish([
      .init(name: "core", fields: ["Essential: yes"]),
      .init(name: "app", version: "1:2", fields: ["Depends: lib", "Phased-Update-Percentage: 10"]),
      .init(name: "lib"),
    ])
    return try await archive.resolve("app")
  }

  @Test("apt installs from it alone; what lies in the folder besides is not in it")
  func installable() async throws {
    let archive = try DebianArchive()
    let resolution = try await resolved(archive)
    try writeAtomically("stray", to: archive.content.appending("pkgs/stray_1_amd64.deb"))
    let signer = try await archive.makeIndex(resolution)
    #expect(signer?.utf8.count == 40)
    let client = try await archive.client("signed-by=\(archive.content)/kubespray-offline.asc")
    #expect(try await client.update(for: try PackageTarget(named: "debian-12")).isEmpty)
    let plan = try await client.command("apt-get", ["-s", "install", "app"]).output()
    #expect(plan.contains("Inst app (1:2 kubespray-offline:12/bookworm [amd64])"))
    let locate = ["download", "-q", "--print-uris", "app"]
    let choices = DebianSolver.choices(try await client.command("apt-get", locate).output())
    #expect(choices.map(\.url) == ["file:\(archive.content)/pkgs/app_2_amd64.deb"])
    let index = try String(contentsOfFile: archive.content.appending("Packages").string, encoding: .utf8)
    #expect(!index.contains("stray"))
    #expect(!index.contains("Phased"))
    for name in ["Packages.gz", "Packages.xz", "Release"] {
      #expect(FileManager.default.fileExists(atPath: archive.content.appending(name).string), "\(name)")
    }
  }

  @Test(
    "With a key that is made here gpgv and apt take it; without a signature or with another key apt does not")
  func made() async throws {
    let archive = try DebianArchive()
    let resolution = try await resolved(archive)
    let signer = try #require(try await archive.makeIndex(resolution))
    let content = archive.content
    let release = try readText(content.appending("Release"))
    #expect(release.contains("\nDate: Wed, 01 Jan 2025 00:00:00 UTC\n"))
    let armored = content.appending("kubespray-offline.asc")
    let own = ["--homedir", archive.root.string, "--batch"]
    let shown = try await Command("gpg", own + ["--with-colons", "--show-keys", armored.string]).output()
    #expect(shown.contains(":\(signer):\n") && shown.contains("pub:-:3072:1:") && !shown.contains("sec:"))
    let binary = archive.root.appending("public.gpg")
    _ = try await Command("gpg", own + ["--dearmor", "--output", binary.string, armored.string]).output()
    // Without apt's --ignore-time-conflict.
    _ = try await Command(
      "gpgv", ["--keyring", binary.string, content.appending("InRelease").string]
    ).output()
    let target = try PackageTarget(named: "debian-12")
    func failures() async throws -> [AptRoot.Failure] {
      try removeTree(archive.root.appending("client"))
      return try await archive.client("signed-by=\(armored)").update(for: target)
    }
    #expect(try await failures().isEmpty)

    let first = try readText(armored)
    let second = try #require(try await archive.makeIndex(resolution))
    #expect(second != signer)
    #expect(try readText(content.appending("Release")) == release)
    try writeAtomically(first, to: armored)
    #expect(try await failures().first?.reason.contains("NO_PUBKEY") == true)
    for name in ["InRelease", "Release.gpg"] { try removeFile(content.appending(name)) }
    #expect(try await failures().first?.reason.contains("is not signed") == true)
  }

  @Test("For two architectures there is one pool, an index for each, and at the top that of the main one")
  func twoArchitectures() async throws {
    let archive = try DebianArchive()
    try archive.publish([
      .init(name: "core", fields: ["Essential: yes"]),
      .init(name: "app", fields: ["Depends: bus, data"]),
      // Debian's dbus is such a package, and polkitd wants what it provides.
      .init(name: "dbus", fields: ["Provides: bus"]), .init(name: "data", architecture: "all"),
    ])
    let both: [Architecture] = [.amd64, .arm64]
    let key = SigningKey(try await TestKey(in: archive.root).file.string)
    let wanted = [WantedPackage(name: "app", origin: "list")]
    let resolution = try await archive.repository(wanted, architectures: both).resolve { _ in }
    #expect(
      Set(resolution.files.map(\.path))
        == Set(
          both.flatMap { architecture in
            ["app", "core", "dbus"].map { "pkgs/\($0)_1_\(architecture.rawValue).deb" }
          } + ["pkgs/data_1_all.deb"]))
    try await archive.makeIndex(resolution, key: key, architectures: both)
    let target = try PackageTarget(named: "debian-12")
    let trust = "signed-by=\(archive.content)/kubespray-offline.asc"
    for (architecture, suite) in [(Architecture.amd64, "./"), (.amd64, "$(ARCH)/"), (.arm64, "$(ARCH)/")] {
      let client = try await archive.client(trust, suite: suite, architecture: architecture)
      #expect(try await client.update(for: target).isEmpty)
      let plan = try await client.command("apt-get", ["-s", "install", "app"]).output()
      for name in ["app", "dbus"] {
        #expect(plan.contains("Inst \(name) (1 kubespray-offline:12/bookworm [\(architecture.rawValue)])"))
      }
      #expect(plan.contains("Inst data (1 kubespray-offline:12/bookworm [all])"))
      let locate = ["download", "-q", "--print-uris", "app"]
      let choices = DebianSolver.choices(try await client.command("apt-get", locate).output())
      #expect(choices.map(\.url) == ["file:\(archive.content)/pkgs/app_1_\(architecture.rawValue).deb"])
    }
  }

  @Test("A signed index is good for gpgv and apt; a changed list is refused by apt")
  func signed() async throws {
    let archive = try DebianArchive()
    let key = SigningKey(try await TestKey(in: archive.root).file.string)
    try await archive.makeIndex(try await resolved(archive), key: key)
    let content = archive.content
    let armored = content.appending("kubespray-offline.asc")
    let binary = archive.root.appending("public.gpg")
    _ = try await Command("gpg", ["--batch", "--dearmor", "--output", binary.string, armored.string]).output()
    let verify = ["--keyring", binary.string]
    _ = try await Command("gpgv", verify + [content.appending("InRelease").string]).output()
    _ = try await Command(
      "gpgv", verify + [content.appending("Release.gpg").string, content.appending("Release").string]
    ).output()

    let target = try PackageTarget(named: "debian-12")
    let client = try await archive.client("signed-by=\(armored)")
    #expect(try await client.update(for: target).isEmpty)
    for name in ["Packages", "Packages.gz", "Packages.xz"] {
      try writeAtomically("Package: evil\nVersion: 1\n", to: content.appending(name))
    }
    try FileManager.default.removeItem(atPath: client.folder.appending("state/lists").string)
    let failures = try await archive.client("signed-by=\(armored)").update(for: target)
    #expect(failures.count == 1)
    let reason = try #require(failures.first?.reason)
    #expect(reason.contains("unexpected size") || reason.contains("Hash Sum mismatch"), "\(reason)")
  }

  @Test("A package that is missing or cut off is not indexed but named")
  func missing() async throws {
    let archive = try DebianArchive()
    let resolution = try await resolved(archive)
    try await archive.makeIndex(resolution)
    try writeAtomically("l", to: archive.content.appending("pkgs/lib_1_amd64.deb"))
    let error = try await #require(throws: DebianRepositoryError.self) {
      try await archive.repository([]).makeIndex(
        of: resolution, in: archive.content, to: archive.root.appending("index"))
    }
    #expect("\(error)".contains("pkgs/lib_1_amd64.deb is missing or has another size"))
  }

  @Test("Lists longer than one piece of reading are read whole")
  func longList() throws {
    let archive = try DebianArchive()
    let file = archive.root.appending("Packages")
    let padding = String(repeating: "x", count: 997)
    let text = (0..<3000).map { "Package: p\($0)\nSource: s\($0 % 7)\nTag: \(padding)\nVersion: \($0)\n" }
    try writeAtomically(text.joined(separator: "\n"), to: file)
    let lists = try PackageLists([file])
    #expect(lists.count == 3000)
    for number in [0, 1036, 1037, 2999] {
      #expect(try lists.paragraphs(of: "p\(number)").map { $0["Version"] } == ["\(number)"])
    }
    #expect(try lists.paragraphs(ofSource: "s3").count == 429 - (3000 % 7 > 3 ? 0 : 1))
  }
}

/// Keys by file and by name, and what can be wrong with them.
@Suite("Signing keys", .enabled(if: findExecutable("gpg") != nil, "gpg is needed"))
struct SigningKeyTests {
  @Test("An exported key gives its fingerprint and its public half, and leaves nothing behind")
  func exported() async throws {
    let archive = try DebianArchive()
    let key = SigningKey(try await TestKey(in: archive.root).file.string)
    let identity = try await key.identity()
    #expect(identity.count == 40)
    let armored = try await key.use { try await $0.publicKey() }
    #expect(armored.hasPrefix("-----BEGIN PGP PUBLIC KEY BLOCK-----"))
    let left = try FileManager.default.contentsOfDirectory(atPath: "/tmp").filter {
      guard $0.hasPrefix("kubespray-offline-gpg-") else { return false }
      let held = try? FileManager.default.contentsOfDirectory(atPath: "/tmp/\($0)/openpgp-revocs.d")
      return held?.contains { $0.contains(identity) } ?? false
    }
    #expect(left.isEmpty)
  }

  @Test("A key that is made is gone afterwards, whatever became of the work")
  func madeAndGone() async throws {
    struct Failed: Error {}
    let key = SigningKey.made(for: "kubespray-offline debs/local for debian-12, amd64")
    let (fingerprint, home) = try await key.use { signer in
      let home = try #require(signer.keyring.home)
      #expect(try FileInfo(home).permissions == .ownerReadWriteExecute)
      return (signer.fingerprint, home)
    }
    #expect(!fileExists(home))
    var left: FilePath?
    do {
      try await key.use { signer in
        left = signer.keyring.home
        throw Failed()
      }
      Issue.record("the work has failed")
    } catch is Failed {}
    #expect(try !fileExists(#require(left)))
    let another = try await key.use { $0.fingerprint }
    #expect(another != fingerprint)
  }

  @Test("What cannot sign is refused with what to do")
  func refused() async throws {
    let archive = try DebianArchive()
    let file = archive.root.appending("Release")
    try writeAtomically("text", to: file)
    let output = archive.root.appending("InRelease")
    func message(_ text: String) async throws -> String {
      let error = try await #require(throws: SigningKeyError.self) {
        try await SigningKey(text).use { try await $0.clearsign(file, to: output) }
      }
      return "\(error)"
    }
    #expect(try await message("/nonexistent/key.gpg").contains("there is no such file"))
    #expect(try await message(file.string).contains("has no secret key"))
    #expect(try await message("nobody-\(UUID().uuidString)@example.com").contains("no such secret key"))
    let locked = try await TestKey(in: archive.root, name: "locked", passphrase: "secret")
    #expect(try await message(locked.file.string).contains("cannot sign"))
    #expect(!FileManager.default.fileExists(atPath: output.string))
    let first = try await TestKey(in: archive.root, name: "first").file
    let second = try await TestKey(in: archive.root, name: "second").file
    let both = archive.root.appending("both.gpg")
    try (Data(contentsOf: URL(filePath: first.string)) + Data(contentsOf: URL(filePath: second.string)))
      .write(to: URL(filePath: both.string))
    #expect(try await message(both.string).contains("ambiguous"))
  }
}
