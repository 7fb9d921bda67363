import Bundle
import Files
import Foundation
import Host
import Integrity
import SystemPackage
import TestRegistry
import TestSupport
import Testing

@testable import Registry

/// Names and manifests are unlinked by this program, and the blobs collected by the real registry.
@Suite(
  .timeLimit(.minutes(5)),
  .enabled(
    if: DockerRegistry.isInstalled, "docker-registry is not installed (scripts/install-dependencies test)"))
struct StoragePruningTests {
  /// Two bundles' images: they share a layer, and one image.
  private let old = PushFixture.image([900_000, 40_000], seed: 1)
  private let new = PushFixture.image([900_000, 70_000], seed: 1)
  private let both = PushFixture.image([50_000], seed: 20)
  private let signed = PushFixture.image([60_000], seed: 30)

  private func stored(_ name: String, _ image: TestImage, isSigned: Bool = false) throws -> StoredImage {
    var found = ManifestImage(
      reference: try ImageReference(name), digest: image.manifest.descriptor.digest, platforms: [], layers: 1)
    if isSigned {
      let subject = image.manifest.descriptor
      let parts = TestAttachment.parts(of: subject).manifest
      let list = try AttachedManifest.list(
        [
          AttachedManifest(manifest: try FetchedManifest(parts.bytes, descriptor: parts.descriptor), tag: nil)
        ], of: subject.digest)
      found.attached = [
        ManifestAttached(
          digest: TestAttachment.signature(of: subject).manifest.descriptor.digest, type: nil,
          tag: AttachedManifest.tag(of: subject.digest, ".sig"), isSignature: true),
        ManifestAttached(digest: parts.descriptor.digest, type: nil, tag: nil, isSignature: false),
        ManifestAttached(
          digest: list.manifest.descriptor.digest, type: nil, tag: list.tag, isSignature: false),
      ]
    }
    return StoredImage(found, strippedRegistries: ImageReference.strippedRegistries)
  }

  /// The room that a folder takes, as du(1) counts it.
  private func room(of folder: FilePath) throws -> Int64 {
    var sizes = [try FileInfo(folder).allocated]
    try walkFolder(folder) { sizes.append($0.info.allocated) }
    return sizes.byteSum(of: \.self)
  }

  private func collect(_ registry: DockerRegistry) async throws {
    let file = registry.folder.appending("config.yml").string
    _ = try await Command("docker-registry", ["garbage-collect", file]).output()
  }

  private func pruning(
    _ storage: FilePath, keeping: [StoredImage], dropping: [StoredImage], uses: [ImageUse] = []
  ) throws -> StoragePruning {
    var space = RemovedSpace()
    return try StoragePruning(in: storage, keeping: keeping, dropping: dropping, uses: uses, &space)
  }

  /// A registry with the images of both bundles, seeded as on the admin host.
  private func withRegistry(
    _ body:
      @Sendable (_ registry: DockerRegistry, _ fixture: PushFixture, _ storage: FilePath, _ host: String)
      async throws -> Void
  ) async throws {
    let fixture = try PushFixture()
    let registry = try DockerRegistry()
    defer { registry.remove() }
    let archives = [
      try fixture.archive("registry.k8s.io/kube:1", old), try fixture.archive("registry.k8s.io/kube:2", new),
      try fixture.archive("nginx:1", both), try fixture.archive("quay.io/team/app:1", signed, isSigned: true),
    ]
    let storage = registry.folder.appending("storage")
    try createDirectories(storage)
    try await registry.serving { host in
      let results = try await fixture.push(to: host).seed(archives, into: storage)
      #expect(results.allSatisfy { $0.failure == nil }, "\(results)")
      try await body(registry, fixture, storage, host)
    }
  }

  private func keeping() throws -> [StoredImage] {
    [try stored("registry.k8s.io/kube:2", new), try stored("nginx:1", both)]
  }

  private func dropping() throws -> [StoredImage] {
    [
      try stored("registry.k8s.io/kube:1", old), try stored("nginx:1", both),
      try stored("quay.io/team/app:1", signed, isSigned: true),
    ]
  }

  @Test func `What was promised is freed, what others need is served, and a second pruning finds nothing`()
    async throws
  {
    let (keeping, dropping) = (try keeping(), try dropping())
    try await withRegistry { registry, fixture, storage, host in
      let pruning = try pruning(storage, keeping: keeping, dropping: dropping)
      #expect(
        pruning.tags.contains("kube:1") && pruning.tags.contains("team/app:1")
          && !pruning.tags.contains("nginx:1"))
      #expect(pruning.manifests == 5 && pruning.kept.isEmpty && pruning.unreadable.isEmpty)
      let before = try room(of: storage)
      pruning.unlink()
      try await collect(registry)
      #expect(pruning.leftGarbage.isEmpty)
      #expect(try room(of: storage) == before - pruning.bytes)
      let client = try await fixture.push(to: host).client()
      #expect(try await client.digest(of: "1", try ImageReference("\(host)/kube:1")) == nil)
      for (name, image) in [("kube:2", new), ("library/nginx:1", both)] {
        let reference = try ImageReference("\(host)/\(name)")
        #expect(
          try await client.digest(of: reference.tag ?? "", reference) == image.manifest.descriptor.digest)
        for blob in [image.config] + image.layers {
          #expect(try await client.has(blob.descriptor, reference))
        }
      }
      #expect(try self.pruning(storage, keeping: keeping, dropping: dropping).isEmpty)
    }
  }

  @Test func `What somebody else has pushed or named, and what a cluster runs, stays and is named`()
    async throws
  {
    let (keeping, dropping) = (try keeping(), try dropping())
    try await withRegistry { registry, fixture, storage, host in
      let theirs = PushFixture.image([33_000], seed: 90)
      for (name, image) in [("team/theirs:7", theirs), ("registry.k8s.io/kube:mine", old)] {
        _ = try await fixture.push(to: host).seed([try fixture.archive(name, image)], into: storage)
      }
      let use = ImageUse(
        repository: nil, tag: nil, digest: signed.config.descriptor.digest, user: "pod default/app")
      let pruning = try pruning(storage, keeping: keeping, dropping: dropping, uses: [use])
      #expect(pruning.tags.isEmpty && pruning.manifests == 0)
      #expect(
        Set(pruning.kept) == [
          .init(name: "kube:mine", reason: "no bundle of this host has put it there"),
          .init(name: "team/theirs:7", reason: "no bundle of this host has put it there"),
          .init(name: "team/app:1", reason: "pod default/app uses it"),
        ], "\(pruning.kept)")
    }
  }

  @Test func `A tag that the kept bundle has given to another image loses only the old one`() async throws {
    let fixture = try PushFixture()
    let registry = try DockerRegistry()
    defer { registry.remove() }
    let storage = registry.folder.appending("storage")
    try createDirectories(storage)
    try await registry.serving { host in
      for image in [old, new] {
        _ = try await fixture.push(to: host).seed([try fixture.archive("nginx:1", image)], into: storage)
      }
      let pruning = try pruning(
        storage, keeping: [try stored("nginx:1", new)], dropping: [try stored("nginx:1", old)])
      #expect(pruning.tags.isEmpty && pruning.manifests == 1 && pruning.garbage.count == 3)
      pruning.unlink()
      try await collect(registry)
      #expect(pruning.leftGarbage.isEmpty)
      let client = try await fixture.push(to: host).client()
      let reference = try ImageReference("\(host)/library/nginx:1")
      #expect(try await client.digest(of: "1", reference) == new.manifest.descriptor.digest)
    }
  }

  @Test func `Stopped after any link, it ends the same way`() async throws {
    let (keeping, dropping) = (try keeping(), try dropping())
    try await withRegistry { _, _, storage, _ in
      let whole = try pruning(storage, keeping: keeping, dropping: dropping)
      let garbage = Set(whole.garbage)
      for _ in 0..<100 {
        let next = try pruning(storage, keeping: keeping, dropping: dropping)
        #expect(Set(next.garbage) == garbage)
        guard next.unlinkFirst() else { break }
      }
      let last = try pruning(storage, keeping: keeping, dropping: dropping)
      #expect(last.tags.isEmpty && last.manifests == 0 && Set(last.garbage) == garbage)
      let names = try listFolder(storage.appending("docker/registry/v2/repositories"))
      #expect(names == ["kube", "library"])
    }
  }

  @Test func `A manifest that the registry cannot read is named, because it would collect nothing`()
    async throws
  {
    let (keeping, dropping) = (try keeping(), try dropping())
    try await withRegistry { _, _, storage, _ in
      let digest = new.manifest.descriptor.digest
      try removeFile(
        storage.pushing(
          FilePath("docker/registry/v2/blobs/sha256/\(digest.hex.prefix(2))/\(digest.hex)/data")))
      let pruning = try pruning(storage, keeping: keeping, dropping: dropping)
      #expect(pruning.unreadable == [.init(name: "kube@\(digest)", reason: "it is missing")])
    }
  }
}
