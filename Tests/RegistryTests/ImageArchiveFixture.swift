import Bundle
import Files
import Integrity
import Registry
import SystemPackage

/// Blobs in a folder of their own, manifests of them, and room for archives; removed with the last reference.
final class ImageArchiveFixture {
  let folder: FilePath

  init() throws {
    folder = try createTemporaryFolder(named: "image-archive-tests")
    try createDirectories(folder.appending("blobs"))
  }

  deinit { try? removeTree(folder) }

  var archive: FilePath { folder.appending("image.tar.gz") }

  /// The names of the files in the folder for archives.
  var files: [String] { ((try? listFolder(folder)) ?? []).filter { $0 != "blobs" } }

  func path(of digest: Digest) -> FilePath { folder.appending("blobs/\(digest.hex)") }

  /// Stores a blob; its descriptor as JSON.
  func blob(_ content: [UInt8], _ mediaType: MediaType) throws -> String {
    let descriptor = Descriptor(of: content, mediaType: mediaType)
    try writeAtomically(content, to: path(of: descriptor.digest))
    return #"{"mediaType":"\#(mediaType)","digest":"\#(descriptor.digest)","size":\#(descriptor.size)}"#
  }

  /// A manifest of an image whose layers have these contents.
  func manifest(
    _ layers: [[UInt8]], oci: Bool = true, architecture: String? = "amd64"
  ) throws -> FetchedManifest {
    let type = oci ? MediaType.ociManifest : .dockerManifest
    let config = try blob(
      Array(#"{"architecture":"\#(architecture ?? "amd64")"}"#.utf8), oci ? .ociConfig : .dockerConfig)
    let layers = try layers.map { try blob($0, oci ? .ociLayerGzip : .dockerLayer) }
    // The blanks are the registry's: they must come through.
    let text = """
      { "schemaVersion": 2,  "mediaType": "\(type)", "config": \(config), "layers": [\(layers.joined(separator: ","))] }
      """
    let platform = architecture.map { Platform(architecture: $0) }
    return try FetchedManifest(
      Array(text.utf8), descriptor: Descriptor(of: Array(text.utf8), mediaType: type, platform: platform))
  }

  /// An index as a registry serves it, with more in it than anybody carries.
  func index(_ manifests: [Descriptor], list: Bool = false) throws -> FetchedManifest {
    let type = list ? MediaType.dockerManifestList : .ociIndex
    let other = Descriptor(of: Array("elsewhere".utf8), mediaType: .ociManifest)
    let items = (manifests + [other]).map {
      #"{"mediaType":"\#($0.mediaType)","digest":"\#($0.digest)","size":\#($0.size)}"#
    }
    let text =
      #"{"schemaVersion": 2, "mediaType": "\#(type)", "manifests": [\#(items.joined(separator: ", "))]}"#
    return try FetchedManifest(
      Array(text.utf8), descriptor: Descriptor(of: Array(text.utf8), mediaType: type))
  }

  func image(
    _ reference: String, _ manifests: FetchedManifest..., indexes: [FetchedManifest] = []
  ) throws -> ArchivedImage {
    try ArchivedImage(reference: try ImageReference(reference), manifests: manifests, indexes: indexes)
  }

  func write(_ image: ArchivedImage) throws -> (size: Int64, sha256: Digest) {
    try ImageArchiveWriter.write(image, blobs: path(of:), to: archive)
  }
}

/// The same bytes each time that do not compress.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 56)
  }
}
