import Archive
import Bundle
import Files
import Foundation
import Integrity
import TestRegistry
import TestServer
import Testing

@testable import Registry

/// What a publisher puts beside an image.
struct TestAttachment {
  let manifest: TestImage.Blob
  let blobs: [TestImage.Blob]

  /// A signature as cosign makes it.
  static func signature(of subject: Descriptor) -> TestAttachment {
    let payload = TestImage.Blob(
      Array("signed \(subject.digest)".utf8),
      MediaType(rawValue: "application/vnd.dev.cosign.simplesigning.v1+json"))
    let config = TestImage.Blob(Array(#"{"of": "\#(subject.digest)"}"#.utf8), .ociConfig)
    return TestAttachment(config, payload, more: "")
  }

  /// A list of parts that names its subject.
  static func parts(of subject: Descriptor) -> TestAttachment {
    let parts = TestImage.Blob(
      Array("parts of \(subject.digest)".utf8), MediaType(rawValue: "application/spdx+json"))
    let config = TestImage.Blob(Array("{}".utf8), MediaType(rawValue: "application/vnd.oci.empty.v1+json"))
    let about = #""artifactType": "application/spdx+json", "subject": \#(json(subject)), "#
    return TestAttachment(config, parts, more: about)
  }

  private init(_ config: TestImage.Blob, _ layer: TestImage.Blob, more: String) {
    blobs = [config, layer]
    let text = """
      {"schemaVersion": 2, "mediaType": "\(MediaType.ociManifest)", \(more)"config": \(Self.json(config.descriptor)), \
      "layers": [\(Self.json(layer.descriptor))]}
      """
    manifest = TestImage.Blob(Array(text.utf8), .ociManifest)
  }

  private static func json(_ descriptor: Descriptor) -> String {
    #"{"mediaType": "\#(descriptor.mediaType)", "digest": "\#(descriptor.digest)", "size": \#(descriptor.size)}"#
  }
}

extension TestRegistry {
  func put(_ attachment: TestAttachment, in repository: String, tag: String? = nil) {
    for blob in attachment.blobs { put(blob: blob, in: repository) }
    put(manifest: attachment.manifest, in: repository, tag: tag)
  }
}

@Suite(.timeLimit(.minutes(10))) struct AttachedManifestTests {
  private let amd64 = TestImage(platform: Platform(architecture: "amd64"))

  private func resolve(_ fixture: RegistryFixture) async throws -> ResolvedImage {
    try await ImageResolver(fixture.client(), findsAttached: true).resolve(
      try fixture.reference(), platforms: [Platform(architecture: "amd64")])
  }

  @Test func `Signatures of the name and of the platform come by their tags`() async throws {
    let fixture = try RegistryFixture()
    let arm64 = TestImage(platform: Platform(architecture: "arm64"))
    fixture.registry.put(amd64, in: "app")
    let index = TestImage.index([amd64.manifest.descriptor, arm64.manifest.descriptor])
    fixture.registry.put(manifest: index, in: "app", tag: "1")
    let subjects = [index.descriptor, amd64.manifest.descriptor]
    let signatures = subjects.map(TestAttachment.signature)
    for (subject, signature) in zip(subjects, signatures) {
      fixture.registry.put(signature, in: "app", tag: AttachedManifest.tag(of: subject.digest, ".sig"))
    }
    let resolved = try await resolve(fixture)
    let attached = try #require(try resolved.attached?.get())
    #expect(attached.map(\.manifest.bytes) == signatures.map(\.manifest.bytes))
    #expect(attached.map(\.tag) == subjects.map { AttachedManifest.tag(of: $0.digest, ".sig") })
    #expect(attached.map(\.isSignature) == [true, true])
    // Who verifies the publisher's index finds it, too.
    let archived = try ArchivedImage(resolved)
    #expect(archived.attached.map(\.manifest.descriptor.digest).last == index.descriptor.digest)
    #expect(archived.descriptor.digest == amd64.manifest.descriptor.digest)
    #expect(
      Set(archived.blobs.map(\.digest)).isSuperset(of: signatures.flatMap(\.blobs).map(\.descriptor.digest)))
  }

  @Test func `What is about an image is asked for as soon as its digest is known`() async throws {
    let fixture = try RegistryFixture()
    fixture.registry.put(amd64, in: "app")
    let index = TestImage.index([amd64.manifest.descriptor])
    fixture.registry.put(manifest: index, in: "app", tag: "1")
    let subjects = [index.descriptor.digest, amd64.manifest.descriptor.digest]
    for subject in subjects {
      // Without it the registry has nothing at that path that could open the gate.
      fixture.registry.put(
        TestAttachment.signature(of: index.descriptor), in: "app",
        tag: AttachedManifest.tag(of: subject, ".sig"))
    }
    // The manifest of the platform comes when both have been asked about.
    let gates = subjects.map { _ in TestServer.Gate() }
    for (subject, gate) in zip(subjects, gates) {
      let tag = AttachedManifest.tag(of: subject, ".sig")
      fixture.registry.fault(TestRegistry.manifestPath("app", tag)) { _, usual in
        gate.open()
        return usual
      }
    }
    fixture.registry.fault(TestRegistry.manifestPath("app", subjects[1].description)) { _, usual in
      gates.reduce(usual) { $0.stalled(at: $1) }
    }
    #expect(try await resolve(fixture).attached?.get().count == 1)
  }

  @Test(arguments: [true, false])
  func `What names an image as its subject comes by the registry's list`(hasList: Bool) async throws {
    let fixture = try RegistryFixture()
    fixture.registry.put(amd64, in: "app", tag: "1")
    let parts = TestAttachment.parts(of: amd64.manifest.descriptor)
    fixture.registry.put(parts, in: "app")
    let list = TestImage.index([parts.manifest.descriptor])
    let tag = AttachedManifest.tag(of: amd64.manifest.descriptor.digest)
    if hasList {
      fixture.server.route("/v2/app/referrers/\(amd64.manifest.descriptor.digest)") { _ in
        TestServer.Response(headers: [("Content-Type", "\(MediaType.ociIndex)")], body: .init(list.bytes))
      }
    } else {
      fixture.registry.put(manifest: list, in: "app", tag: tag)
    }
    let attached = try #require(try await resolve(fixture).attached?.get())
    // The list goes along under its tag, for a registry that makes none.
    #expect(attached.map(\.tag) == [nil, tag])
    #expect(attached.map(\.type) == ["application/spdx+json", nil])
    #expect(attached.map(\.isSignature) == [false, false])
    guard case .index(let index) = attached[1].manifest.content else { throw TestFailure() }
    #expect(index.manifests.map(\.digest) == [parts.manifest.descriptor.digest])
    #expect(index.manifests.map(\.artifactType) == ["application/spdx+json"])
  }

  @Test func `What was found once is found again, wherever the tags lead by now`() async throws {
    let fixture = try RegistryFixture()
    fixture.registry.put(amd64, in: "app")
    let index = TestImage.index([amd64.manifest.descriptor])
    fixture.registry.put(manifest: index, in: "app", tag: "1")
    let subject = amd64.manifest.descriptor
    let (signature, parts) = (TestAttachment.signature(of: subject), TestAttachment.parts(of: subject))
    let tag = AttachedManifest.tag(of: subject.digest)
    fixture.registry.put(signature, in: "app", tag: tag + ".sig")
    fixture.registry.put(parts, in: "app")
    fixture.registry.put(manifest: TestImage.index([parts.manifest.descriptor]), in: "app", tag: tag)
    let found = try ArchivedImage(try await resolve(fixture)).attached
    // The last is the index that the tag stood for.
    #expect(found.map(\.tag) == [tag + ".sig", nil, tag, nil])
    let pin = ImagePin(
      digest: index.descriptor.digest, attached: found.map { ($0.manifest.descriptor.digest, $0.tag) })
    // Another image, and other signatures.
    let other = TestImage(layers: [])
    fixture.registry.put(other, in: "app", tag: "1")
    fixture.registry.put(
      TestAttachment.signature(of: other.manifest.descriptor), in: "app", tag: tag + ".sig")
    fixture.registry.put(manifest: TestImage.index([]), in: "app", tag: tag)
    let resolver = ImageResolver(try fixture.client(), findsAttached: true)
    let again = try await resolver.resolve(
      try fixture.reference(), platforms: [Platform(architecture: "amd64")], at: pin)
    #expect(again.root.descriptor.digest == index.descriptor.digest)
    let archived = try ArchivedImage(again)
    #expect(archived.attached.map(\.manifest.bytes) == found.map(\.manifest.bytes))
    #expect(archived.attached.map(\.tag) == found.map(\.tag))
  }

  private struct TestFailure: Error {}

  @Test func `A registry without any, and one that answers with a page`() async throws {
    for page in [nil, "<!doctype html>"] {
      let fixture = try RegistryFixture()
      fixture.registry.put(amd64, in: "app", tag: "1")
      if let page {
        fixture.server.route("/v2/app/referrers/\(amd64.manifest.descriptor.digest)") { _ in
          TestServer.Response(headers: [("Content-Type", "text/html")], body: .init(page))
        }
      }
      let resolved = try await resolve(fixture)
      let attached = try resolved.attached?.get()
      #expect(attached == [])
      let archived = try ArchivedImage(resolved)
      #expect(archived.attached == [])
      let asked = fixture.server.requests.filter { $0.path.contains("sha256-") }
      #expect(asked.filter { $0.method == "HEAD" }.count == 3)
    }
  }

  @Test func `An image whose signatures cannot be asked for is there without them`() async throws {
    let fixture = try RegistryFixture()
    fixture.registry.put(amd64, in: "app", tag: "1")
    fixture.server.route("/v2/app/referrers/\(amd64.manifest.descriptor.digest)") { _ in
      TestServer.Response(503)
    }
    let resolved = try await resolve(fixture)
    #expect(throws: RegistryError.self) { try resolved.attached?.get() }
    let archived = try ArchivedImage(resolved)
    #expect(archived.descriptor.digest == amd64.manifest.descriptor.digest)
    #expect(archived.attached.isEmpty)
  }

  @Test(arguments: [
    ("sha256-\(String(repeating: "a", count: 64)).sig", true),
    ("sha256-\(String(repeating: "a", count: 64))", true),
    ("1.0", false), ("sha256-abc.sig", false), ("latest.sig", false),
    ("x-sha256-\(String(repeating: "a", count: 64))", false),
  ])
  func `No tag of an image passes for one of theirs`(tag: String, isTheirs: Bool) {
    #expect(AttachedManifest.isTag(tag) == isTheirs)
  }
}

@Suite(.timeLimit(.minutes(10))) struct AttachedArchiveTests {
  private func image(_ fixture: ImageArchiveFixture) throws -> ArchivedImage {
    let manifest = try fixture.manifest([[1, 2, 3]])
    let index = try fixture.index([manifest.descriptor])
    let signature = TestAttachment.signature(of: manifest.descriptor)
    for blob in signature.blobs {
      try writeAtomically(blob.bytes, to: fixture.path(of: blob.descriptor.digest))
    }
    let signed = try FetchedManifest(signature.manifest.bytes, descriptor: signature.manifest.descriptor)
    let tag = AttachedManifest.tag(of: manifest.descriptor.digest, ".sig")
    return try ArchivedImage(
      reference: try ImageReference("app:1"), manifests: [manifest],
      attached: [
        AttachedManifest(manifest: signed, tag: tag), AttachedManifest(manifest: index, tag: nil),
      ])
  }

  @Test func `What is about an image comes out of its archive again`() throws {
    let fixture = try ImageArchiveFixture()
    let image = try image(fixture)
    _ = try fixture.write(image)
    let read = try ImageArchiveReader.summary(of: fixture.archive)
    #expect(read.attached.map(\.tag) == image.attached.map(\.tag))
    #expect(read.attached.map(\.manifest.bytes) == image.attached.map(\.manifest.bytes))
    #expect(read.manifests.map(\.bytes) == image.manifests.map(\.bytes))
    #expect(read.indexes.isEmpty)
    let verified = try ImageArchiveReader.verify(fixture.archive)
    #expect(verified.blobs.count == 4)
  }

  @Test func `An archive without the content of a signature is not complete`() throws {
    let fixture = try ImageArchiveFixture()
    let image = try image(fixture)
    let payload = try #require(image.blobs.last)
    try removeFile(fixture.path(of: payload.digest))
    #expect(throws: (any Error).self) { try fixture.write(image) }
    #expect(fixture.files.isEmpty)
  }

  @Test func `Without any, an archive is what it always was`() throws {
    let fixture = try ImageArchiveFixture()
    _ = try fixture.write(try fixture.image("app:1", try fixture.manifest([[1]])))
    var names: [String] = []
    try ArchiveReader.visit(fixture.archive) { entry, _ in
      names.append(entry.path)
      return .next
    }
    #expect(names.prefix(3) == ["oci-layout", "index.json", "manifest.json"])
    #expect(!names.contains("attached.json"))
  }
}
