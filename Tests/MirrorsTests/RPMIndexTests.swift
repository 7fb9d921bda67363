import Files
import Foundation
import Host
import Integrity
import SystemPackage
import Testing

@testable import Mirrors

/// Whole repositories, installed from by dnf; see `Tests/Packages/install-rpms`.
@Suite("RPM repositories: the index")
struct RPMIndexTests {
  private static let prover = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .appending("Packages/install-rpms")

  /// The repository that the bundle would have: its files, copied, and the index.
  private func make(_ repository: RPMRepository, in content: FilePath) async throws -> MirrorResolution {
    let resolution = try await repository.resolve { _ in }
    for file in resolution.files {
      let source = try #require(URL(string: file.url)?.path)
      let place = content.pushing(FilePath(file.path))
      try createDirectories(place.removingLastComponent())
      try FileManager.default.copyItem(atPath: source, toPath: place.string)
    }
    return resolution
  }

  private func snapshot(_ folder: FilePath) throws -> [String: Digest] {
    var found: [String: Digest] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.string) {
      let path = folder.pushing(FilePath(name))
      if let digest = try? Digest(ofFile: path) { found[name] = digest }
    }
    return found
  }

  @Test("dnf installs from the bundle alone, modules included and signatures checked")
  func installs() async throws {
    let fixture = try await RPMFixture.shared.value
    try await withTemporaryFolder { folder in
      let sources = try fixture.sources(in: folder, baseURL: "file://\(fixture.repository)")
      let repository = try RPMRepositoryTests.repository(["app", "streamed"], sources: sources, in: folder)
      let content = folder.appending("content")
      let resolution = try await make(repository, in: content)
      #expect(resolution.files.map(\.path).contains("streamed-1.0-1.module+el9+1+c0ffee.noarch.rpm"))
      let modules = try #require(resolution.notes["modules"])
      #expect(modules.contains("stream: \"1\"") && modules.contains("modulemd-defaults"))
      #expect(!modules.contains("stream: \"2\"") && !modules.contains("name: other"))

      // What lies there besides is none of the index's business.
      try FileManager.default.copyItem(
        atPath: fixture.package("extra-1.0-1.el9.noarch.rpm").string,
        toPath: content.appending("extra-1.0-1.el9.noarch.rpm").string)
      try await repository.makeIndex(of: resolution, in: content, to: content)
      try FileManager.default.removeItem(atPath: content.appending("extra-1.0-1.el9.noarch.rpm").string)

      let result = try await Command(Self.prover.string, [content.string, "app", "streamed", "tool"]).run()
      #expect(result.status == 0, "\(result.standardOutput)\(result.standardError)")
      #expect(result.standardOutput.contains("ok   signatures of packages will be checked"))
      #expect(result.standardOutput.contains("ok   streamed is installed"))
      #expect(result.standardOutput.contains("4 packages are installed"))
    }
  }

  @Test("One repository serves two architectures: dnf installs on each from it alone")
  func twoArchitectures() async throws {
    let fixture = try await RPMFixture.shared.value
    try await withTemporaryFolder { folder in
      let sources = try fixture.sources(in: folder, baseURL: "file://\(fixture.repository)")
      let repository = try RPMRepositoryTests.repository(
        ["app"], sources: sources, in: folder, architectures: [.amd64, .arm64])
      let content = folder.appending("content")
      let resolution = try await make(repository, in: content)
      let twins = RPMRepositoryTests.closure.map { $0.replacing("x86_64", with: "aarch64") }
      #expect(
        Set(resolution.files.map(\.path))
          == Set(RPMRepositoryTests.closure + twins + ["keys/RPM-GPG-KEY-test"]))
      #expect(resolution.files.filter { $0.path.contains("noarch") }.count == 1)
      #expect(resolution.notes["gpgcheck"] == "1")
      try await repository.makeIndex(of: resolution, in: content, to: content)
      for machine in ["x86_64", "aarch64"] {
        let result = try await Command(
          Self.prover.string, [content.string, "app"], environment: ["MACHINE": machine]
        ).run()
        #expect(result.status == 0, "\(machine): \(result.standardOutput)\(result.standardError)")
        #expect(result.standardOutput.contains("3 packages are installed"))
      }
    }
  }

  @Test("The same files give the same bytes; a file that is missing is named")
  func deterministic() async throws {
    let fixture = try await RPMFixture.shared.value
    try await withTemporaryFolder { folder in
      let sources = try fixture.sources(in: folder, baseURL: "file://\(fixture.repository)")
      let repository = try RPMRepositoryTests.repository(["app", "streamed"], sources: sources, in: folder)
      let content = folder.appending("content")
      let resolution = try await make(repository, in: content)
      let first = folder.appending("first")
      let second = folder.appending("second")
      try await repository.makeIndex(of: resolution, in: content, to: first)
      // Other times of the files, as after a copy.
      for name in try FileManager.default.contentsOfDirectory(atPath: content.string) {
        try FileManager.default.setAttributes(
          [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)],
          ofItemAtPath: content.appending(name).string)
      }
      try await repository.makeIndex(of: resolution, in: content, to: second)
      let index = try snapshot(first)
      // All but the key, which is another one each time.
      let own = ["repodata/repomd.xml.asc", "repodata/repomd.xml.key", RPMIndex.repositoryKey]
      #expect(try snapshot(second).filter { !own.contains($0.key) } == index.filter { !own.contains($0.key) })
      #expect(index.keys.contains("repodata/repomd.xml") && index.keys.contains("keys/signatures.json"))

      try FileManager.default.removeItem(atPath: content.appending("tool-1.0-1.el9.noarch.rpm").string)
      let error = await #expect(throws: RPMRepositoryError.self) {
        try await repository.makeIndex(of: resolution, in: content, to: folder.appending("third"))
      }
      #expect(error?.description.contains("tool-1.0-1.el9.noarch.rpm is not there") == true)
    }
  }

  @Test(
    "The metadata is signed, with the user's key or one that is made, and dnf checks it",
    arguments: [true, false])
  func signed(isMade: Bool) async throws {
    let fixture = try await RPMFixture.shared.value
    try await withTemporaryFolder { folder in
      let sources = try fixture.sources(in: folder, baseURL: "file://\(fixture.repository)")
      let repository = try RPMRepositoryTests.repository(
        ["tool"], sources: sources, in: folder,
        signingKey: isMade ? .made(for: "a test") : SigningKey(fixture.secretKey.string))
      let content = folder.appending("content")
      let resolution = try await make(repository, in: content)
      try await repository.makeIndex(of: resolution, in: content, to: content)
      for name in [
        "repodata/repomd.xml.asc", "repodata/repomd.xml.key", "keys/RPM-GPG-KEY-kubespray-offline",
      ] {
        #expect(FileManager.default.fileExists(atPath: content.pushing(FilePath(name)).string), "\(name)")
      }
      let good = try await Command(Self.prover.string, [content.string, "tool"]).run()
      #expect(good.status == 0, "\(good.standardOutput)\(good.standardError)")

      // dnf checks it also where it is told to do so when packages are collected.
      let checking = try fixture.sources(
        in: folder, baseURL: "file://\(content)",
        more: "repo_gpgcheck=1\ngpgkey=file://\(content)/keys/RPM-GPG-KEY-kubespray-offline")
      let collected = try RPMRepositoryTests.repository(
        ["tool"], sources: checking, in: folder.appending("2"))
      #expect(try await collected.resolve { _ in }.files.first?.path == "tool-1.0-1.el9.noarch.rpm")

      let metadata = content.appending("repodata/repomd.xml")
      try writeAtomically(String(contentsOfFile: metadata.string, encoding: .utf8) + "\n", to: metadata)
      let changed = try await Command(Self.prover.string, [content.string, "tool"]).run()
      #expect(changed.status == 1, "changed metadata was accepted:\n\(changed.standardOutput)")
      let error = await #expect(throws: RPMRepositoryError.self) { try await collected.resolve { _ in } }
      #expect(error?.description.contains("GPG") == true)
    }
  }
}
