import Bundle
import Files
import Foundation
import Glibc
import Host
import Integrity
import Synchronization
import SystemPackage
import TestRegistry
import Testing
import Transfer

@testable import Registry

@Suite(
  .timeLimit(.minutes(10)),
  .enabled(
    if: DockerRegistry.isInstalled && findExecutable("skopeo") != nil,
    "docker-registry and skopeo are not installed (scripts/install-dependencies test)"))
struct DockerRegistryPushTests {
  private func skopeo(_ arguments: String...) async throws -> String {
    try await Command("skopeo", arguments).output()
  }

  @Test func `Images arrive with their digests, and a second push sends nothing`() async throws {
    let fixture = try PushFixture()
    let registry = try DockerRegistry()
    defer { registry.remove() }
    let docker = PushFixture.image([3_000_000, 70_000], type: .dockerManifest)
    let oci = PushFixture.image([3_000_000, 500], seed: 1)
    let arm = PushFixture.image([40_000], seed: 9, architecture: "arm64")
    let archives = [
      try fixture.archive("nginx:1", docker), try fixture.archive("quay.io/team/app:2", oci),
      try fixture.archive("mcr.microsoft.com/oss/both:3", oci, arm),
    ]
    try await registry.serving { host in
      let first = try await fixture.push(to: host).push(archives)
      #expect(first.map(\.outcome) == Array(repeating: .pushed(replaced: nil), count: 3), "\(first)")
      #expect(
        first.map(\.destination) == [
          "\(host)/library/nginx:1", "\(host)/team/app:2", "\(host)/mcr.microsoft.com/oss/both:3",
        ])
      for result in first {
        let name = "docker://\(try #require(result.destination))"
        let raw = try await skopeo("inspect", "--raw", "--tls-verify=false", name)
        #expect(Digest(of: Array(raw.utf8)) == result.digest)
        _ = try await skopeo(
          "copy", "-q", "--all", "--src-tls-verify=false", name, "dir:\(fixture.folder)/copy")
      }
      let second = try await fixture.push(to: host).push(archives)
      #expect(second.map(\.outcome) == [.present, .present, .present])
      #expect(second.map(\.bytesSent) == [0, 0, 0])
    }
  }
}

extension DockerRegistryPushTests {
  private static let passwords = "ann:$2y$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC"

  /// The files below a folder with their content's digest, those of unfinished uploads and of this program left out.
  private func tree(_ folder: FilePath) throws -> [String: Digest] {
    var result: [String: Digest] = [:]
    let enumerator = FileManager.default.enumerator(atPath: folder.string)
    while let name = enumerator?.nextObject() as? String {
      var isFolder: ObjCBool = false
      let path = folder.appending(name)
      guard FileManager.default.fileExists(atPath: path.string, isDirectory: &isFolder), !isFolder.boolValue,
        !name.contains("/_uploads/"), !name.hasPrefix(SeedRecord.name)
      else { continue }
      result[name] = try Digest(ofFile: path)
    }
    return result
  }

  private func archives(_ fixture: PushFixture) throws -> [FilePath] {
    let common = PushFixture.image([900_000, 40_000], seed: 1)
    let other = PushFixture.image([900_000, 70_000, 3], seed: 1, type: .dockerManifest)
    let arm = PushFixture.image([50_000], seed: 20, architecture: "arm64")
    return [
      try fixture.archive("nginx:1", common), try fixture.archive("quay.io/team/app:2", other),
      try fixture.archive("ghcr.io/both:3", common, arm),
    ]
  }

  @Test func `What is seeded is what a push would have made`() async throws {
    let fixture = try PushFixture()
    let (pushed, seeded) = (try DockerRegistry(), try DockerRegistry())
    defer {
      pushed.remove()
      seeded.remove()
    }
    let archives = try archives(fixture)
    try await pushed.serving { host in _ = try await fixture.push(to: host).push(archives) }
    let storage = seeded.folder.appending("storage")
    try createDirectories(storage)
    try await seeded.serving { host in
      let first = try await fixture.push(to: host).seed(archives, into: storage)
      #expect(first.map(\.outcome) == Array(repeating: .pushed(replaced: nil), count: 3), "\(first)")
      for result in first {
        let name = "docker://\(try #require(result.destination))"
        _ = try await skopeo(
          "copy", "-q", "--all", "--src-tls-verify=false", name, "dir:\(fixture.folder)/copy")
      }
      let second = try await fixture.push(to: host).seed(archives, into: storage)
      #expect(second.map(\.outcome) == [.present, .present, .present])
      #expect(second.map(\.bytesSent) == [0, 0, 0])
    }
    #expect(try tree(storage) == tree(pushed.folder.appending("storage")))
  }

  @Test func `Signatures lie in the registry as they lay outside`() async throws {
    let fixture = try PushFixture()
    let (pushed, seeded) = (try DockerRegistry(), try DockerRegistry())
    defer {
      pushed.remove()
      seeded.remove()
    }
    let image = PushFixture.image([90_000])
    let archive = try fixture.archive("quay.io/team/app:1", image, isSigned: true)
    let storage = seeded.folder.appending("storage")
    try createDirectories(storage)
    @Sendable func check(_ host: String) async throws {
      let subject = image.manifest.descriptor
      let name = "docker://\(host)/team/app"
      let tag = AttachedManifest.tag(of: subject.digest)
      let signature = try await skopeo("inspect", "--raw", "--tls-verify=false", "\(name):\(tag).sig")
      #expect(Array(signature.utf8) == TestAttachment.signature(of: subject).manifest.bytes)
      let list = try await skopeo("inspect", "--raw", "--tls-verify=false", "\(name):\(tag)")
      let parts = TestAttachment.parts(of: subject).manifest.descriptor.digest
      #expect(list.contains("\(parts)"))
      _ = try await skopeo("inspect", "--raw", "--tls-verify=false", "\(name)@\(parts)")
    }
    try await pushed.serving { host in
      let first = try await fixture.push(to: host).push([archive])
      #expect(first.map(\.outcome) == [.pushed(replaced: nil)], "\(first)")
      #expect(first.map(\.remark) == [nil])
      try await check(host)
      let second = try await fixture.push(to: host).push([archive])
      #expect(second.map(\.outcome) == [.present])
    }
    try await seeded.serving { host in
      let first = try await fixture.push(to: host).seed([archive], into: storage)
      #expect(first.map(\.outcome) == [.pushed(replaced: nil)], "\(first)")
      try await check(host)
      let second = try await fixture.push(to: host).seed([archive], into: storage)
      #expect(second.map(\.outcome) == [.present])
    }
    #expect(try tree(storage) == tree(pushed.folder.appending("storage")))
  }

  @Test func `A registry that is read-only refuses a push and serves what is seeded`() async throws {
    let fixture = try PushFixture()
    let registry = try DockerRegistry()
    defer { registry.remove() }
    let archives = try archives(fixture)
    let storage = registry.folder.appending("storage")
    try createDirectories(storage)
    try await registry.serving(isReadOnly: true) { host in
      let pushed = try await fixture.push(to: host).push(archives)
      #expect(pushed.allSatisfy { $0.failure != nil }, "\(pushed)")
      #expect(try tree(storage).isEmpty)
      let seeded = try await fixture.push(to: host).seed(archives, into: storage)
      #expect(seeded.allSatisfy { $0.failure == nil }, "\(seeded)")
    }
  }

  @Test func `Content that a power cut has spoilt is placed again`() async throws {
    let fixture = try PushFixture()
    let registry = try DockerRegistry()
    defer { registry.remove() }
    let image = PushFixture.image([90_000])
    let archive = try fixture.archive("nginx:1", image)
    let storage = registry.folder.appending("storage")
    let digest = image.layers[0].descriptor.digest
    let data = storage.appending("docker/registry/v2/blobs/sha256/\(digest.hex.prefix(2))/\(digest.hex)/data")
    try createDirectories(data.removingLastComponent())
    try writeAtomically([UInt8](repeating: 0, count: 90_000), to: data)
    try await registry.serving { host in
      let result = try await fixture.push(to: host).seed([archive], into: storage)
      #expect(result.map(\.outcome) == [.pushed(replaced: nil)])
    }
    #expect(try Digest(ofFile: data) == digest)
  }

  @Test func `A folder of another registry is left as it was, and the images are pushed`() async throws {
    let fixture = try PushFixture()
    let registry = try DockerRegistry()
    defer { registry.remove() }
    let archive = try fixture.archive("nginx:1", PushFixture.image([9_000]))
    let other = fixture.folder.appending("other")
    try createDirectories(other)
    try await registry.serving { host in
      for folder in [other, fixture.folder.appending("missing")] {
        let result = try await fixture.push(to: host).seed([archive], into: folder)
        #expect(result.first?.failure == nil)
      }
    }
    #expect(try tree(other).isEmpty)
  }

  @Test func `A registry with passwords`() async throws {
    let fixture = try PushFixture()
    let registry = try DockerRegistry()
    defer { registry.remove() }
    let archives = try archives(fixture)
    try await registry.serving(passwords: Self.passwords) { host in
      let names = RegistryCredentials.variableNames(registry: host)
      let wrong = try await fixture.push(to: host, variables: [names.user: "ann", names.password: "wrong"])
        .push(archives)
      #expect(wrong.allSatisfy { ($0.failure as? RegistryError)?.kind == .credentialsRefused }, "\(wrong)")
      let right = try await fixture.push(to: host, variables: [names.user: "ann", names.password: "right"])
        .push(archives)
      #expect(right.allSatisfy { $0.failure == nil }, "\(right)")
    }
  }

  @Test func `A push that is interrupted again and again ends as one that is not`() async throws {
    let fixture = try PushFixture()
    let (whole, torn) = (try DockerRegistry(), try DockerRegistry())
    defer {
      whole.remove()
      torn.remove()
    }
    let archives = try archives(fixture)
    try await whole.serving { host in _ = try await fixture.push(to: host).push(archives) }
    try await torn.serving { host in
      for round in 0..<20 {
        let (bytes, continuation) = AsyncStream<Void>.makeStream()
        let push = try fixture.push(to: host, { _ in }) { (event: PushEvent) in
          if case .sent = event { continuation.yield() }
        }
        let task = Task { try await push.push(archives) }
        // After as many pieces as the round says.
        var iterator = bytes.makeAsyncIterator()
        let watcher = Task {
          _ = try? await task.value
          continuation.finish()
        }
        var left = round % 5 + 1
        while left > 0, await iterator.next() != nil { left -= 1 }
        task.cancel()
        await watcher.value
      }
      let last = try await fixture.push(to: host).push(archives)
      #expect(last.allSatisfy { $0.failure == nil }, "\(last)")
    }
    #expect(try tree(torn.folder.appending("storage")) == tree(whole.folder.appending("storage")))
  }
}

extension DockerRegistryPushTests {
  @Test func `A registry with TLS is believed by its certificate authority alone`() async throws {
    let fixture = try PushFixture()
    let registry = try DockerRegistry()
    defer { registry.remove() }
    let (file, key) = (registry.folder.appending("cert.pem"), registry.folder.appending("key.pem"))
    let arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    let extra = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key.string, "-out", file.string]
    _ = try await Command("openssl", arguments + extra).output()
    let archives = try archives(fixture)
    try await registry.serving(passwords: Self.passwords, certificate: (file, key)) { host in
      let names = RegistryCredentials.variableNames(registry: host)
      let variables = [names.user: "ann", names.password: "right"]
      let error = await #expect(throws: RegistryError.self) {
        try await fixture.push(to: "https://\(host)", variables: variables).push(archives)
      }
      #expect(error?.kind == .transfer(.tls))
      let results = try await fixture.push(to: "https://\(host)/project", variables: variables, caFile: file)
        .push(archives)
      #expect(results.allSatisfy { $0.failure == nil }, "\(results)")
      let raw = try await skopeo(
        "inspect", "--raw", "--tls-verify=false", "--creds", "ann:right",
        "docker://\(host)/project/team/app:2")
      #expect(Digest(of: Array(raw.utf8)) == results[1].digest)
    }
  }

  @Test func `A registry that is killed in the middle and started again gets everything`() async throws {
    let fixture = try PushFixture()
    let (registry, whole) = (try DockerRegistry(), try DockerRegistry())
    defer {
      registry.remove()
      whole.remove()
    }
    let big = try fixture.archive("big:1", PushFixture.image([30_000_000, 4_000_000], seed: 50))
    let archives = try archives(fixture) + [big]
    try await whole.serving { host in _ = try await fixture.push(to: host).push(archives) }
    let (hosts, host) = AsyncStream<String>.makeStream()
    let (pieces, piece) = AsyncStream<Void>.makeStream()
    let push = Task {
      var iterator = hosts.makeAsyncIterator()
      let host = try #require(await iterator.next())
      let push = try fixture.push(to: host, isPatient: true, { $0.parallel = 2 }) { (event: PushEvent) in
        if case .sent = event { piece.yield() }
      }
      return (try await push.push(archives), host)
    }
    let port = Mutex(0)
    try await registry.serving { address in
      port.withLock { $0 = Int(address.split(separator: ":").last ?? "") ?? 0 }
      host.yield(address)
      // In the midst of the large blob.
      var iterator = pieces.makeAsyncIterator()
      var left = 20
      while left > 0, await iterator.next() != nil { left -= 1 }
    }
    try await registry.serving(port: port.withLock { $0 }) { _ in
      let (results, _) = try await push.value
      #expect(results.allSatisfy { $0.failure == nil }, "\(results)")
    }
    #expect(try tree(registry.folder.appending("storage")) == tree(whole.folder.appending("storage")))
  }

  @Test(.enabled(if: geteuid() == 0, "a disk of its own for the registry wants root"))
  func `A full disk is said to be full, and what was there stays`() async throws {
    let fixture = try PushFixture()
    let registry = try DockerRegistry()
    defer { registry.remove() }
    let big = try fixture.archive("big:1", PushFixture.image([9_000_000], seed: 50))
    let small = try fixture.archive("small:1", PushFixture.image([9_000], seed: 60))
    try await registry.serving(megabytes: 6) { host in
      let first = try await fixture.push(to: host).push([small])
      #expect(first[0].failure == nil, "\(first)")
      let results = try await fixture.push(to: host).push([big, small])
      #expect((results[0].failure as? RegistryError)?.kind == .diskFull, "\(results[0])")
      #expect(results[1].outcome == .present, "\(results[1])")
      let missing = try await fixture.push(to: host).client()
      #expect(try await missing.digest(of: "1", try ImageReference("\(host)/library/big:1")) == nil)
    }
  }
}
