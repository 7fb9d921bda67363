import Bundle
import Files
import Foundation
import Host
import Integrity
import Synchronization
import SystemPackage
import TestRegistry
import TestServer
import Transfer

@testable import Registry

/// Archives in a folder of their own, and pushes that do not dawdle.
final class PushFixture: Sendable {
  let folder: FilePath
  private let recorded = Mutex<[PushResult]>([])

  init() throws {
    folder = try createTemporaryFolder(named: "push-tests")
  }

  deinit { try? removeTree(folder) }

  /// Writes an archive as download-all does; a signed one has a signature, and a list of parts with the list that names it.
  func archive(
    _ name: String, _ images: TestImage..., indexes: [TestImage.Blob] = [], isSigned: Bool = false
  ) throws -> FilePath {
    let reference = try ImageReference(name)
    let manifests = try images.map {
      try FetchedManifest($0.manifest.bytes, descriptor: $0.manifest.descriptor)
    }
    let archived = try ArchivedImage(
      reference: reference, manifests: manifests,
      indexes: try indexes.map { try FetchedManifest($0.bytes, descriptor: $0.descriptor) },
      attached: isSigned ? try Self.attached(to: manifests[0].descriptor) : [])
    let blobs = folder.appending("blobs")
    try createDirectories(blobs)
    let about = isSigned ? Self.attachments(of: manifests[0].descriptor).flatMap(\.blobs) : []
    for blob in images.flatMap({ [$0.config] + $0.layers }) + about {
      try writeAtomically(blob.bytes, to: blobs.appending(blob.descriptor.digest.hex), isDurable: false)
    }
    let path = folder.appending(reference.archiveName)
    _ = try ImageArchiveWriter.write(archived, blobs: { blobs.appending($0.hex) }, to: path)
    return path
  }

  private static func attachments(of subject: Descriptor) -> [TestAttachment] {
    [TestAttachment.signature(of: subject), TestAttachment.parts(of: subject)]
  }

  private static func attached(to subject: Descriptor) throws -> [AttachedManifest] {
    let manifests = try attachments(of: subject).map {
      try FetchedManifest($0.manifest.bytes, descriptor: $0.manifest.descriptor)
    }
    let parts = AttachedManifest(manifest: manifests[1], tag: nil)
    return [
      AttachedManifest(manifest: manifests[0], tag: AttachedManifest.tag(of: subject.digest, ".sig")), parts,
      try AttachedManifest.list([parts], of: subject.digest),
    ]
  }

  /// An image of layers with these many bytes; the same seed gives the same layers.
  static func image(
    _ sizes: [Int], seed: UInt64 = 1, type: MediaType = .ociManifest, architecture: String = "amd64"
  )
    -> TestImage
  {
    let layers = sizes.enumerated().map { number, size in
      TestImage.Blob(
        TestServer.Body.pattern(count: Int64(size), seed: seed &+ UInt64(number)).bytes,
        type == .dockerManifest ? .dockerLayer : .ociLayerGzip)
    }
    return TestImage(platform: Platform(architecture: architecture), layers: layers, type: type)
  }

  func push(
    to target: String, variables: [String: String] = [:], caFile: FilePath? = nil,
    isPatient: Bool = false,
    _ change: (inout PushConfiguration) -> Void = { _ in },
    onEvent: @escaping @Sendable (PushEvent) -> Void = { _ in }
  ) throws -> ImagePush {
    var transfer = TransferConfiguration()
    transfer.initialBackoff = .milliseconds(1)
    transfer.maximumBackoff = .milliseconds(5)
    transfer.retries = 3
    if isPatient { (transfer.retries, transfer.maximumBackoff) = (200, .milliseconds(50)) }
    transfer.noProxy = "*"
    transfer.caFile = caFile?.string
    var configuration = PushConfiguration(scratch: folder.appending("scratch"))
    configuration.backoff = .milliseconds(1)
    configuration.maximumBackoff = .milliseconds(5)
    configuration.retries = 3
    if isPatient { (configuration.retries, configuration.maximumBackoff) = (200, .milliseconds(50)) }
    change(&configuration)
    let credentials = RegistryCredentials(
      environment: variables, home: "/nonexistent", userID: 0, helper: { _, _ in (1, "") })
    return ImagePush(
      target: try PushTarget(target), engine: try TransferEngine(transfer), credentials: credentials,
      configuration: configuration, onEvent: onEvent)
  }
}
