import Bundle
import Files
import Foundation
import Glibc
import Host
import Mirrors
import SystemPackage
import TestServer

/// A small distribution: packages built by rpmbuild, signed by a throw-away key, and their repository.
///
/// `app` needs `lib` of at least version 2 and the file `/opt/tool`, and recommends `extra`. `lib` is there in two
/// versions and with a twin for i686; both are there for aarch64 too; of the same build and bound to its version are `lib-langpack`, which every
/// minimal system has, and `lib-checks`, which none has. `streamed` is a package of a module of two streams, `broken`
/// needs what nobody has.
struct RPMFixture: Sendable {
  /// Built once for all tests of the process.
  static let shared = Task { try await RPMFixture() }

  /// Everything below here.
  let root: FilePath
  /// The repository: packages and `repodata/`.
  var repository: FilePath { root.appending("repository") }
  /// The public key.
  var key: FilePath { root.appending("RPM-GPG-KEY-test") }
  /// The secret key, exported.
  var secretKey: FilePath { root.appending("secret.asc") }

  private init() async throws {
    root = try createTemporaryFolder(named: "rpm-test")
    Self.removeAtExit(root)
    try createDirectories(repository)
    for (file, architecture) in [
      ("lib-1.0", "x86_64"), ("lib-2.0", "x86_64"), ("lib-2.0", "i686"), ("others", "noarch"),
      ("app", "x86_64"), ("lib-2.0", "aarch64"), ("app", "aarch64"),
      ("streamed-1", "noarch"), ("streamed-2", "noarch"),
    ] {
      try await build(RPMSpecs.text(file), architecture: architecture)
    }
    try await sign()
    try await index()
  }

  /// The file of a package.
  func package(_ name: String) -> FilePath { repository.appending(name) }

  /// Serves the repository at `/repository`.
  func serve(on server: TestServer, authorization: String? = nil) throws {
    for name in try FileManager.default.subpathsOfDirectory(atPath: repository.string) {
      let path = repository.pushing(FilePath(name))
      guard let data = FileManager.default.contents(atPath: path.string) else { continue }
      let resource = TestServer.Resource(.init(Array(data)), requiredAuthorization: authorization)
      // The server compares paths as they are sent.
      for sent in Set([name, name.replacing("^", with: "%5E"), name.replacing("^", with: "%5e")]) {
        server.serve("/repository/\(sent)", resource)
      }
    }
  }

  /// A folder of sources with one .repo file.
  func sources(in folder: FilePath, baseURL: String, more: String = "") throws -> FilePath {
    let sources = folder.appending("sources")
    try createDirectories(sources)
    try writeAtomically(
      "[base]\nname=base\nbaseurl=\(baseURL)\ngpgcheck=1\ngpgkey=file://\(key)\n\(more)\n",
      to: sources.appending("test.repo"))
    return sources
  }

  private func build(_ spec: String, architecture: String) async throws {
    let file = root.appending("package.spec")
    try writeAtomically(spec, to: file)
    _ = try await Command(
      "rpmbuild",
      [
        "-bb", "--quiet", "--target", "\(architecture)-linux", "--define", "_topdir \(root)/build",
        "--define", "_rpmdir \(repository)", "--define",
        "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
        "--define", "debug_package %{nil}", file.string,
      ]
    ).output()
  }

  private func sign() async throws {
    let home = root.appending("gnupg")
    try createDirectories(home)
    chmod(home.string, 0o700)
    let gpg = ["--batch", "--quiet", "--homedir", home.string]
    _ = try await Command(
      "gpg", gpg + ["--passphrase", "", "--quick-gen-key", "test@example.com", "rsa2048", "sign", "never"]
    ).output()
    _ = try await Command("gpg", gpg + ["--armor", "--output", key.string, "--export"]).output()
    _ = try await Command(
      "gpg", gpg + ["--armor", "--output", secretKey.string, "--export-secret-keys"]
    ).output()
    let packages = try FileManager.default.contentsOfDirectory(atPath: repository.string)
    _ = try await Command(
      "rpmsign",
      [
        "--define", "_gpg_name test@example.com", "--define", "_gpg_path \(home)",
        // Debian's rpm looks for gpg2, which Debian does not have.
        "--define", "__gpg \(findExecutable("gpg")?.string ?? "gpg")", "--addsign",
      ]
        + packages.map { repository.appending($0).string }
    ).output()
    _ = try await Command("gpgconf", ["--homedir", home.string, "--kill", "all"]).run()
  }

  private func index() async throws {
    let comps = root.appending("comps.xml")
    let modules = root.appending("modules.yaml")
    try writeAtomically(RPMSpecs.comps, to: comps)
    try writeAtomically(RPMSpecs.modules, to: modules)
    _ = try await Command(
      "createrepo_c", ["--quiet", "--groupfile", comps.string, repository.string]
    ).output()
    _ = try await Command(
      "modifyrepo_c", ["--mdtype=modules", modules.string, repository.appending("repodata").string]
    ).output()
  }

  nonisolated(unsafe) private static var leftover = ""

  /// Only ``shared`` calls this, once.
  private static func removeAtExit(_ folder: FilePath) {
    leftover = folder.string
    atexit { try? FileManager.default.removeItem(atPath: RPMFixture.leftover) }
  }
}
