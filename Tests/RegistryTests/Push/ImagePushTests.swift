import Bundle
import Files
import Foundation
import Integrity
import Synchronization
import SystemPackage
import TestRegistry
import TestServer
import Testing

@testable import Registry

/// Pushes into a registry that can misbehave.
@Suite(.timeLimit(.minutes(10))) struct ImagePushTests {
  private let fixture: PushFixture
  private let registry: TestRegistry

  init() throws {
    fixture = try PushFixture()
    registry = try TestRegistry()
  }

  private func requests(_ method: String, _ path: String) -> Int {
    registry.server.requests.count { $0.method == method && $0.path.contains(path) }
  }

  private func expectWhole(
    _ image: TestImage, in repository: String, tag: String, of registry: TestRegistry? = nil
  ) {
    let registry = registry ?? self.registry
    #expect(registry.manifest(repository, tag) == image.manifest.bytes)
    for blob in [image.config] + image.layers {
      #expect(registry.blobs(in: repository)[blob.descriptor.digest] == blob.bytes)
    }
  }

  @Test func `A blob that two images have is sent once and mounted`() async throws {
    let (one, two) = (PushFixture.image([50_000, 10]), PushFixture.image([50_000, 20, 30]))
    registry.accept("library/one", ["1"])
    registry.accept("two", ["2"])
    let results = try await fixture.push(to: registry.host, { $0.parallel = 1 })
      .push([try fixture.archive("one:1", one), try fixture.archive("quay.io/two:2", two)])
    #expect(results.allSatisfy { $0.failure == nil }, "\(results)")
    expectWhole(one, in: "library/one", tag: "1")
    expectWhole(two, in: "two", tag: "2")
    #expect(
      requests("PUT", "/blobs/") == 3 + 4 - 1)
  }

  @Test func `An image that is pinned by its digest leaves a contested tag to the other one`() async throws {
    let (tagged, pinned) = (PushFixture.image([10, 20]), PushFixture.image([30], seed: 7))
    registry.accept("library/one", ["1", "\(pinned.manifest.descriptor.digest)"])
    let archives = [
      try fixture.archive("one:1", tagged),
      try fixture.archive("one:1@\(pinned.manifest.descriptor.digest)", pinned),
    ]
    for order in [archives, archives.reversed()] {
      let results = try await fixture.push(to: registry.host).push(order)
      #expect(results.allSatisfy { $0.failure == nil }, "\(results)")
      expectWhole(tagged, in: "library/one", tag: "1")
      expectWhole(pinned, in: "library/one", tag: "\(pinned.manifest.descriptor.digest)")
    }
  }

  @Test func `A second push asks for each manifest once and sends nothing`() async throws {
    registry.accept("library/one", ["1"])
    let archive = try fixture.archive("one:1", PushFixture.image([5_000]))
    _ = try await fixture.push(to: registry.host).push([archive])
    let before = registry.server.requests.count
    let results = try await fixture.push(to: registry.host).push([archive])
    #expect(results.map(\.outcome) == [.present])
    // One greeting tells whether TLS is wanted, one whether a login is, and HEAD.
    #expect(registry.server.requests.count == before + 3)
  }

  @Test func `Another image under the same tag is replaced, and that is said`() async throws {
    registry.accept("library/one", ["1"])
    let old = PushFixture.image([5_000])
    _ = try await fixture.push(to: registry.host).push([try fixture.archive("one:1", old)])
    let new = PushFixture.image([6_000])
    let results = try await fixture.push(to: registry.host).push([try fixture.archive("one:1", new)])
    #expect(results.map(\.outcome) == [.pushed(replaced: old.manifest.descriptor.digest)])
    expectWhole(new, in: "library/one", tag: "1")
  }

  @Test func `Two images that would become one name are refused before anything is asked`() async throws {
    let archives = [
      try fixture.archive("flannel/flannel:1", PushFixture.image([10])),
      try fixture.archive("ghcr.io/flannel/flannel:1", PushFixture.image([20])),
    ]
    let error = await #expect(throws: PushCollision.self) {
      try await fixture.push(to: registry.host).push(archives)
    }
    let text = error.map { "\($0)" } ?? ""
    #expect(
      text.contains("docker.io/flannel/flannel:1") && text.contains("ghcr.io/flannel/flannel:1"), "\(text)")
    #expect(registry.server.requests.isEmpty)
  }

  @Test("The same image under two names that become one is no trouble")
  func sameTwice() async throws {
    registry.accept("flannel/flannel", ["1"])
    let image = PushFixture.image([10])
    let results = try await fixture.push(to: registry.host).push([
      try fixture.archive("flannel/flannel:1", image),
      try fixture.archive("ghcr.io/flannel/flannel:1", image),
    ])
    #expect(results.count == 2 && results.allSatisfy { $0.failure == nil }, "\(results)")
  }

  @Test(
    "A flipped byte is named, its image gets no tag, and the others arrive, even if it was flipped after the archive was proved",
    arguments: [false, true])
  func flippedByte(wasProved: Bool) async throws {
    registry.accept("library/bad", ["1"])
    registry.accept("library/good", ["1"])
    // The larger one comes first.
    let (bad, good) = (PushFixture.image([90_000, 70]), PushFixture.image([90_000, 10]))
    let path = try fixture.archive("bad:1", bad)
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path.string)))
    bytes[60_000] ^= 1
    try writeAtomically(bytes, to: path)
    let results = try await fixture.push(to: registry.host, { $0.archivesAreProved = wasProved })
      .push([path, try fixture.archive("good:1", good)])
    let failure = "\(try #require(results[0].failure))"
    #expect(
      failure.contains(path.string) && failure.contains("\(bad.layers[0].descriptor.digest)"), "\(failure)")
    #expect(registry.manifest("library/bad", "1") == nil)
    #expect(results[1].failure == nil, "\(results[1])")
    // The layer in common comes from the archive that is whole.
    expectWhole(good, in: "library/good", tag: "1")
  }

  @Test("An archive with another image than the one that is expected is refused, and the others arrive")
  func unexpectedImage() async throws {
    registry.accept("library/good", ["1"])
    registry.accept("library/bad", ["1"])
    let (good, other) = (PushFixture.image([10]), PushFixture.image([20]))
    let archives = [try fixture.archive("good:1", good), try fixture.archive("bad:1", other)]
    let results = try await fixture.push(to: registry.host) {
      $0.expected[archives[0]] = ExpectedImage(
        reference: try! ImageReference("good:1"), digest: good.manifest.descriptor.digest)
      $0.expected[archives[1]] = ExpectedImage(
        reference: try! ImageReference("bad:1"), digest: good.manifest.descriptor.digest)
    }.push(archives)
    #expect(results.map { $0.failure == nil } == [true, false])
    #expect(
      results[1].failure.map { "\($0)".contains("\(good.manifest.descriptor.digest) is expected") } == true)
    #expect(registry.manifest("library/bad", "1") == nil)
    expectWhole(good, in: "library/good", tag: "1")
  }

  @Test("An archive with other signatures than the bundle names is refused")
  func unexpectedSignature() async throws {
    registry.accept("library/app", ["1"])
    let image = PushFixture.image([10])
    let archive = try fixture.archive("app:1", image, isSigned: true)
    let results = try await fixture.push(to: registry.host) {
      $0.expected[archive] = ExpectedImage(
        reference: try! ImageReference("app:1"), digest: image.manifest.descriptor.digest)
    }.push([archive])
    #expect(results.first?.failure.map { "\($0)".contains("signatures") } == true, "\(results)")
    #expect(registry.manifest("library/app", "1") == nil)
  }

  @Test(
    "A registry that takes no large bodies gets parts",
    arguments: [(6_000_000, nil), (.max, 1_000_000)] as [(Int, Int?)])
  func parts(largestBody: Int, minimumChunk: Int?) async throws {
    registry.accept("library/one", ["1"], largestBody: largestBody, minimumChunk: minimumChunk)
    let image = PushFixture.image([20_000_000])
    let results = try await fixture.push(to: registry.host).push([try fixture.archive("one:1", image)])
    #expect(results.allSatisfy { $0.failure == nil }, "\(results)")
    expectWhole(image, in: "library/one", tag: "1")
    #expect(requests("PATCH", "/blobs/") > 0)
  }

  @Test(
    "What passes by itself is waited out",
    arguments: [
      TestServer.Response.refusal(503), .refusal(429, retryAfter: "0"), .refusal(502),
      .nothing(ending: .reset), .nothing(),
    ])
  func setbacks(_ answer: TestServer.Response) async throws {
    registry.accept("library/one", ["1"])
    let image = PushFixture.image([300_000])
    let archive = try fixture.archive("one:1", image)
    // Every path fails the first time that it is asked.
    for path in ["/v2/library/one/blobs/uploads/", TestRegistry.manifestPath("library/one", "1")]
      + (1...6).map({ "/v2/library/one/blobs/uploads/\($0)" })
    {
      registry.fault(path) { request, usual in request.attempt == 1 ? answer : usual }
    }
    let results = try await fixture.push(to: registry.host).push([archive])
    #expect(results.allSatisfy { $0.failure == nil }, "\(results)")
    expectWhole(image, in: "library/one", tag: "1")
  }

  @Test func `An upload that was cut goes on where the registry says`() async throws {
    registry.accept("library/one", ["1"], minimumChunk: 400_000)
    let image = PushFixture.image([40_000_000])
    let archive = try fixture.archive("one:1", image)
    for path in (1...4).map({ "/v2/library/one/blobs/uploads/\($0)" }) {
      // The answer to the first part is lost, the part is not.
      registry.fault(path) { request, usual in
        request.method == "PATCH" && request.attempt == 1 ? .nothing(ending: .reset) : usual
      }
    }
    let results = try await fixture.push(to: registry.host).push([archive])
    #expect(results.allSatisfy { $0.failure == nil }, "\(results)")
    expectWhole(image, in: "library/one", tag: "1")
    let starts = registry.server.requests.compactMap { $0[header: "Content-Range"] }
    #expect(Set(starts).count == starts.count, "\(starts)")
  }

  @Test func `A registry that stays away fails every image soon`() async throws {
    registry.accept("library/one", ["1"])
    let archives = try (0..<5).map {
      try fixture.archive("one:\($0)", PushFixture.image([100, 200, 300], seed: UInt64($0 * 10)))
    }
    let host = registry.host
    registry.server.stop()
    await #expect(throws: RegistryError.self) { try await fixture.push(to: host).push(archives) }
  }

  @Test("Tokens are asked for with the right to push", arguments: [300, nil] as [Int?])
  func tokens(expiresIn: Int?) async throws {
    let registry = try TestRegistry(access: .bearer(user: "ann", password: "right", expiresIn: expiresIn))
    registry.accept("team/library/one", ["1"])
    registry.accept("team/two", ["2"])
    let names = RegistryCredentials.variableNames(registry: registry.host)
    let (one, two) = (PushFixture.image([5_000]), PushFixture.image([5_000, 6]))
    let results = try await fixture.push(
      to: "\(registry.host)/team", variables: [names.user: "ann", names.password: "right"]
    ).push([try fixture.archive("one:1", one), try fixture.archive("quay.io/two:2", two)])
    #expect(results.allSatisfy { $0.failure == nil }, "\(results)")
    expectWhole(one, in: "team/library/one", tag: "1", of: registry)
    expectWhole(two, in: "team/two", tag: "2", of: registry)
    let scopes = registry.server.requests(for: "/token").compactMap(\.query)
    #expect(scopes.allSatisfy { $0.contains("pull%2Cpush") }, "\(scopes)")
  }

  @Test func `A registry on another machine is asked without TLS only where that is allowed`() async throws {
    let archive = try fixture.archive("one:1", PushFixture.image([10]))
    let error = await #expect(throws: RegistryError.self) {
      try await fixture.push(to: "http://192.0.2.1:5000").push([archive])
    }
    #expect(error?.kind == .insecure)
  }

  @Test func `A file that is no archive does not stop the others`() async throws {
    registry.accept("library/one", ["1"])
    let junk = fixture.folder.appending("junk.tar.gz")
    try writeAtomically("<html>", to: junk)
    let good = try fixture.archive("one:1", PushFixture.image([10]))
    let results = try await fixture.push(to: registry.host).push([junk, good])
    #expect(results.first?.failure.map { "\($0)".contains("junk.tar.gz") } == true)
    #expect(results.last?.failure == nil)
  }
}
