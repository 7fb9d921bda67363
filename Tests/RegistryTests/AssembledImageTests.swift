import Archive
import Bundle
import Files
import Foundation
import Integrity
import SystemPackage
import Testing

@testable import Registry

@Suite("Images assembled on a base") struct AssembledImageTests {
  private let layer = Array("a layer".utf8)

  /// A base in Docker's types, as most on Docker Hub still are.
  private func base(diffIDs: Int = 1) throws -> (BaseImage, configuration: [UInt8]) {
    let diffID = "\(Digest(of: layer))"
    let configuration = Array(
      """
      {"architecture": "arm64", "variant": "v8", "os": "linux", "created": "2025-01-01T00:00:00Z",
       "config": {"User": "app", "Env": ["PATH=/usr/local/bin:/bin", "LANG=C", "A=1"], "Entrypoint": ["/entry"],
                  "Cmd": ["python3"], "ExposedPorts": {"80/tcp": {}}, "Labels": {"a": "b"}},
       "rootfs": {"type": "layers", "diff_ids": [\(Array(repeating: "\"\(diffID)\"", count: diffIDs).joined(separator: ","))]},
       "history": [{"created_by": "ENV A=1", "empty_layer": true}, {"created_by": "COPY"}]}
      """.utf8)
    let manifest = Array(
      """
      {"schemaVersion": 2, "mediaType": "\(MediaType.dockerManifest)",
       "config": {"mediaType": "\(MediaType.dockerConfig)", "digest": "\(Digest(of: configuration))",
                  "size": \(configuration.count)},
       "layers": [{"mediaType": "\(MediaType.dockerLayer)", "digest": "\(Digest(of: layer))", "size": \(layer.count)}]}
      """.utf8)
    let fetched = try FetchedManifest(
      manifest, descriptor: Descriptor(of: manifest, mediaType: .dockerManifest))
    guard case .manifest(let content) = fetched.content else { throw ManifestFormatError.schema1 }
    let image = ResolvedImage.PlatformImage(manifest: fetched, content: content, indexes: [])
    return (
      try BaseImage(try ImageReference("docker.io/library/python:3.12"), image, configuration: configuration),
      configuration
    )
  }

  private func assemble() throws -> AssembledImage {
    let added = AddedLayer(
      descriptor: Descriptor(of: Array("added".utf8), mediaType: .ociLayerGzip),
      diffID: Digest(of: Array("plain".utf8)), createdBy: "pip install: ansible==10.7.0")
    return try AssembledImage(
      try ImageReference("localhost/kubespray-offline/ansible:2.30.0"), on: try base().0, adding: [added],
      environment: ["LANG": "C.UTF-8", "PATH": "/opt/ansible/bin:/usr/local/bin:/bin"], labels: ["c": "d"],
      command: ["/bin/sh"])
  }

  @Test("a container starts as root, with the base's variables but not its program, and the new layer on top")
  func configuration() throws {
    let image = try assemble()
    let configuration = try ImageConfiguration(image.configuration)
    let execution = try #require(configuration.config)
    #expect(execution.environment == ["A=1", "LANG=C.UTF-8", "PATH=/opt/ansible/bin:/usr/local/bin:/bin"])
    #expect(execution.user == nil && execution.entrypoint == nil && execution.command == ["/bin/sh"])
    #expect(execution.labels == ["a": "b", "c": "d"])
    #expect(configuration.rootfs.diffIDs == [Digest(of: layer), Digest(of: Array("plain".utf8))])
    #expect(configuration.history?.map(\.createdBy) == ["ENV A=1", "COPY", "pip install: ansible==10.7.0"])
    #expect(configuration.history?.map(\.created).last == "2025-01-01T00:00:00Z")
  }

  @Test("its archive is one that loaders take: OCI's types throughout, the platform and every blob")
  func archive() throws {
    let image = try assemble()
    try withTemporaryFolder { folder in
      let blobs = [layer, Array("added".utf8), image.configuration]
      for bytes in blobs { try writeAtomically(bytes, to: folder.appending(Digest(of: bytes).hex)) }
      let path = folder.appending("image.tar.gz")
      let first = try ImageArchiveWriter.write(
        image.image, blobs: { folder.appending($0.hex) }, to: path)
      let read = try ImageArchiveReader.verify(path)
      #expect(read.reference.description == "localhost/kubespray-offline/ansible:2.30.0")
      #expect(read.descriptor.platform?.description == "linux/arm64")
      #expect(read.contents[0].config.mediaType == .ociConfig)
      #expect(read.contents[0].layers.map(\.mediaType) == [.ociLayerGzip, .ociLayerGzip])
      #expect(read.contents[0].layers.map(\.digest) == [layer, Array("added".utf8)].map { Digest(of: $0) })
      let again = try assemble()
      #expect(again.image == image.image)
      #expect(
        try ImageArchiveWriter.write(again.image, blobs: { folder.appending($0.hex) }, to: path).sha256
          == first.sha256)
    }
  }

  @Test("a base whose documents contradict each other is refused")
  func contradiction() {
    #expect(throws: ManifestFormatError.self) { try base(diffIDs: 2) }
  }
}
