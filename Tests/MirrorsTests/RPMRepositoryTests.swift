import Bundle
import Cache
import Files
import Foundation
import Host
import Integrity
import Mirrors
import SystemPackage
import TestServer
import Testing

/// With Debian's or the host's own dnf 4, rpmbuild and createrepo_c.
@Suite("RPM repositories")
struct RPMRepositoryTests {
  static let closure = [
    "app-1.0^git1-1.el9.x86_64.rpm", "lib-2.0-1.el9.x86_64.rpm", "lib-langpack-2.0-1.el9.x86_64.rpm",
    "tool-1.0-1.el9.noarch.rpm",
  ]

  static func repository(
    _ names: [String], sources: FilePath?, in folder: FilePath, target: String = "rocky-9",
    architectures: [Architecture] = [.amd64], signingKey: SigningKey? = nil, optional: [String] = []
  ) throws -> RPMRepository {
    RPMRepository(
      target: try PackageTarget(named: target), folder: try BundlePath("rpms/local"),
      architectures: architectures,
      wanted: names.enumerated().map { WantedPackage(name: $1, origin: "list line \($0 + 1)") }
        + optional.map { WantedPackage(name: $0, origin: "a role", isRequired: false) },
      sources: sources, signingKey: signingKey ?? .made(for: "a test"),
      cache: try Cache(folder.appending("cache")))
  }

  @Test(
    "The closure is exact: newest versions, no twin, nothing merely recommended, and what is upgraded together"
  )
  func closureOverHTTP() async throws {
    let fixture = try await RPMFixture.shared.value
    let server = try TestServer()
    defer { server.stop() }
    try fixture.serve(on: server)
    try await withTemporaryFolder { folder in
      let sources = try fixture.sources(in: folder, baseURL: server.url("/repository"))
      let resolution = try await Self.repository(["app"], sources: sources, in: folder).resolve { _ in }
      #expect(resolution.files.map(\.path) == Self.closure + ["keys/RPM-GPG-KEY-test"])
      for file in resolution.files.dropLast() {
        let path = fixture.package(file.path)
        #expect(try file.digest == Digest(ofFile: path))
        #expect(file.url == server.url("/repository/" + file.path.replacing("^", with: "%5E")))
        #expect(file.size == (try FileManager.default.attributesOfItem(atPath: path.string)[.size] as? Int64))
      }
      #expect(resolution.warnings == [])
      #expect(resolution.notes["gpgcheck"] == "1")
      #expect(resolution.notes["modules"] == nil)
      // The packages are signed, and the metadata came over plain HTTP: anybody could have chosen among them.
      #expect(resolution.files.dropLast().allSatisfy { $0.isUnsigned == true })
      #expect(server.requests.allSatisfy { !$0.path.hasSuffix(".rpm") }, "dnf fetched a package itself")
    }
  }

  @Test("A name may be what a package provides; for another processor only its own packages come")
  func provides() async throws {
    let fixture = try await RPMFixture.shared.value
    try await withTemporaryFolder { folder in
      let sources = try fixture.sources(in: folder, baseURL: "file://\(fixture.repository)")
      let resolution = try await Self.repository(
        ["instrument"], sources: sources.appending("test.repo"), in: folder, architectures: [.arm64]
      ).resolve { _ in }
      #expect(resolution.files.map(\.path) == ["tool-1.0-1.el9.noarch.rpm", "keys/RPM-GPG-KEY-test"])
    }
  }

  @Test("What no repository has is named with the line that asks for it")
  func unknownPackage() async throws {
    let fixture = try await RPMFixture.shared.value
    try await withTemporaryFolder { folder in
      let sources = try fixture.sources(in: folder, baseURL: "file://\(fixture.repository)")
      let error = await #expect(throws: RPMRepositoryError.self) {
        try await Self.repository(["app", "nonesuch"], sources: sources, in: folder).resolve { _ in }
      }
      #expect(error?.description.contains("no repository of rocky-9 has nonesuch (list line 2)") == true)
    }
  }

  @Test("What a role may want and the release does not have is told and left out; the rest is there")
  func optionalPackages() async throws {
    let fixture = try await RPMFixture.shared.value
    try await withTemporaryFolder { folder in
      let sources = try fixture.sources(in: folder, baseURL: "file://\(fixture.repository)")
      let resolution = try await Self.repository(
        ["tool"], sources: sources, in: folder, optional: ["app", "broken", "nonesuch"]
      ).resolve { _ in }
      #expect(resolution.files.map(\.path) == Self.closure + ["keys/RPM-GPG-KEY-test"])
      #expect(resolution.warnings.count == 2)
      #expect(resolution.warnings.first?.hasPrefix("broken, which a role asks for, is left out") == true)
      #expect(resolution.warnings.first?.contains("nothing provides what-nobody-has") == true)
      #expect(resolution.warnings.last?.contains("nonesuch") == true)
    }
  }

  @Test("What cannot be installed is refused with dnf's reason")
  func unsolvable() async throws {
    let fixture = try await RPMFixture.shared.value
    try await withTemporaryFolder { folder in
      let sources = try fixture.sources(in: folder, baseURL: "file://\(fixture.repository)")
      let error = await #expect(throws: RPMRepositoryError.self) {
        try await Self.repository(["broken"], sources: sources, in: folder).resolve { _ in }
      }
      #expect(error?.description.contains("nothing provides what-nobody-has needed by broken") == true)
    }
  }

  @Test("A repository that does not answer is named: an error, or a warning where its file allows that")
  func unreachableRepository() async throws {
    let fixture = try await RPMFixture.shared.value
    let server = try TestServer()
    defer { server.stop() }
    try await withTemporaryFolder { folder in
      let base = "file://\(fixture.repository)"
      let gone = "[gone]\nname=gone\nbaseurl=\(server.url("/gone"))\ngpgcheck=0\n"
      let strict = try fixture.sources(in: folder, baseURL: base, more: gone + "skip_if_unavailable=0")
      let error = await #expect(throws: RPMRepositoryError.self) {
        try await Self.repository(["app"], sources: strict, in: folder).resolve { _ in }
      }
      #expect(error?.description.contains("gone") == true)
      #expect(error?.description.contains("404") == true)

      let lenient = try fixture.sources(in: folder, baseURL: base, more: gone + "skip_if_unavailable=1")
      let resolution = try await Self.repository(["app"], sources: lenient, in: folder).resolve { _ in }
      #expect(resolution.files.count == Self.closure.count + 1)
      #expect(resolution.warnings.count == 1)
      #expect(resolution.warnings.first?.hasPrefix("repository gone is left out") == true)
    }
  }

  @Test("A repository with a password is fetched by dnf, and the password is nowhere in the resolution")
  func password() async throws {
    let fixture = try await RPMFixture.shared.value
    let server = try TestServer()
    defer { server.stop() }
    try fixture.serve(on: server, authorization: "Basic \(Data("me:secret".utf8).base64EncodedString())")
    try await withTemporaryFolder { folder in
      let sources = try fixture.sources(
        in: folder, baseURL: server.url("/repository"), more: "username=me\npassword=secret")
      let resolution = try await Self.repository(["app"], sources: sources, in: folder).resolve { _ in }
      #expect(resolution.files.map(\.path) == Self.closure + ["keys/RPM-GPG-KEY-test"])
      for file in resolution.files {
        let path = try #require(URL(string: file.url)?.path)
        #expect(file.url.hasPrefix("file://") && !file.url.contains("secret"))
        #expect(try file.digest == Digest(ofFile: FilePath(path)))
      }
    }
  }

  @Test(
    "Of a list of mirrors, the packages come from one that works for dnf; a key on a server is fetched like them"
  )
  func mirrors() async throws {
    let fixture = try await RPMFixture.shared.value
    let server = try TestServer()
    defer { server.stop() }
    try fixture.serve(on: server)
    server.serve("/mirrors", Array("\(server.url("/repository/"))\n".utf8))
    try await withTemporaryFolder { folder in
      let sources = folder.appending("one.repo")
      try writeAtomically(
        "[m]\nname=m\nmirrorlist=\(server.url("/mirrors"))\ngpgcheck=1\ngpgkey=\(server.url("/KEY.asc"))\n",
        to: sources)
      for _ in 1...2 {  // The second time from the metadata that is kept.
        let resolution = try await Self.repository(["tool"], sources: sources, in: folder).resolve { _ in }
        #expect(
          resolution.files.map(\.url) == [
            server.url("/repository/tool-1.0-1.el9.noarch.rpm"), server.url("/KEY.asc"),
          ])
        #expect(resolution.files.last?.path == "keys/RPM-GPG-KEY-m-KEY.asc")
      }
      #expect(server.requests.filter { $0.path.hasSuffix("primary.xml.gz") }.count == 1)
    }
  }

  @Test("Variables and keys lie beside the .repo files of another machine; a missing key is a warning")
  func foreignSources() async throws {
    let fixture = try await RPMFixture.shared.value
    try await withTemporaryFolder { folder in
      let sources = folder.appending("sources")
      for name in ["vars", "keys"] { try createDirectories(sources.appending(name)) }
      try writeAtomically("\(fixture.root)\n", to: sources.appending("vars/place"))
      try writeAtomically(
        "[base]\nname=b\nbaseurl=file://$place/repository\ngpgcheck=1\n"
          + "gpgkey=file:///etc/pki/none/RPM-GPG-KEY-$releasever\n", to: sources.appending("a.repo"))
      let repository = try Self.repository(["tool"], sources: sources, in: folder)
      let without = try await repository.resolve { _ in }
      #expect(without.notes["gpgcheck"] == "0")
      #expect(without.warnings.first?.contains("RPM-GPG-KEY-9") == true)

      let before = try await repository.inputs()
      #expect(try await repository.inputs() == before)
      try FileManager.default.copyItem(
        atPath: fixture.key.string, toPath: sources.appending("keys/RPM-GPG-KEY-9").string)
      #expect(try await repository.inputs() != before)
      let with = try await repository.resolve { _ in }
      #expect(with.files.map(\.path) == ["tool-1.0-1.el9.noarch.rpm", "keys/RPM-GPG-KEY-9"])
      #expect(with.warnings == [])
    }
  }

  @Test("Without sources for another release than the host's, the setting is named")
  func noSources() async throws {
    let other = try OSRelease.current().majorVersion == 10 ? "almalinux-9" : "almalinux-10"
    try await withTemporaryFolder { folder in
      let error = await #expect(throws: RPMRepositoryError.self) {
        try await Self.repository(["app"], sources: nil, in: folder, target: other).resolve { _ in }
      }
      #expect(error?.description.contains("where packages for \(other) come from") == true)
    }
  }

  @Test(
    "The lists of this repository can be read",
    arguments: [("rocky-9", "python3.11"), ("rhel-10", "python3-pip")])
  func lists(_ target: String, _ python: String) throws {
    let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
    let wanted = try PackageList.read(for: PackageTarget(named: target), in: root.appending("pkglist"))
    #expect(wanted.contains { $0.name == python } && wanted.contains { $0.name == "container-selinux" })
    #expect(Set(wanted.map(\.name)).count == wanted.count)
  }
}
