/// What the bytes behind a descriptor are.
///
/// Source: OCI image-spec, media-types.md; distribution's docs/spec/manifest-v2-2.md.
public struct MediaType: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
  /// The type as it is written in a header or descriptor, without parameters.
  public let rawValue: String

  /// A media type of that name.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// The type of a `Content-Type` header: parameters are dropped, and case does not matter.
  public init(header: String) {
    let type = header.prefix { $0 != ";" }
    rawValue = type.filter { !$0.isWhitespace }.lowercased()
  }

  /// The type as it is written.
  public var description: String { rawValue }

  /// Docker's image manifest, version 2, schema 2.
  public static let dockerManifest = MediaType(
    rawValue: "application/vnd.docker.distribution.manifest.v2+json")
  /// Docker's manifest list.
  public static let dockerManifestList = MediaType(
    rawValue: "application/vnd.docker.distribution.manifest.list.v2+json")
  /// Docker's manifest of schema 1, out of use since 2017.
  static let dockerSchema1 = MediaType(
    rawValue: "application/vnd.docker.distribution.manifest.v1+json")
  /// The same with a signature.
  public static let dockerSchema1Signed = MediaType(
    rawValue: "application/vnd.docker.distribution.manifest.v1+prettyjws")
  /// Docker's image configuration.
  public static let dockerConfig = MediaType(rawValue: "application/vnd.docker.container.image.v1+json")
  /// Docker's gzipped layer.
  public static let dockerLayer = MediaType(rawValue: "application/vnd.docker.image.rootfs.diff.tar.gzip")
  /// A layer that only its vendor may hand out (Windows).
  static let dockerForeignLayer = MediaType(
    rawValue: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")

  /// OCI's image manifest.
  public static let ociManifest = MediaType(rawValue: "application/vnd.oci.image.manifest.v1+json")
  /// OCI's index: one image for several platforms.
  public static let ociIndex = MediaType(rawValue: "application/vnd.oci.image.index.v1+json")
  /// OCI's image configuration.
  public static let ociConfig = MediaType(rawValue: "application/vnd.oci.image.config.v1+json")
  /// A layer that is not compressed.
  static let ociLayer = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar")
  /// A gzipped layer.
  public static let ociLayerGzip = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar+gzip")
  /// A layer in Zstandard.
  static let ociLayerZstd = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar+zstd")

  /// The value of `Accept` that asks for every kind of manifest this program reads.
  static let acceptedManifests = [ociIndex, dockerManifestList, ociManifest, dockerManifest]
    .map(\.rawValue).joined(separator: ", ")

  /// Whether it says nothing of what the bytes are: registries, proxies and old builders write such types, or none. The
  /// configurations of Docker's first images of schema 2 have one.
  var isGeneric: Bool {
    [
      "", "application/json", "application/octet-stream", "binary/octet-stream", "text/plain", "text/json",
      // Docker's own client takes this one for an image too (moby, distribution/pull_v2.go).
      "text/html",
    ].contains(rawValue.lowercased())
  }

  /// Whether it is one of OCI's, which registries of before 2018 do not know.
  var isOCI: Bool { rawValue.hasPrefix("application/vnd.oci.") }

  /// Whether it is a list of manifests.
  var isIndex: Bool { self == .ociIndex || self == .dockerManifestList }

  /// Whether it is the manifest of one image.
  var isManifest: Bool { self == .ociManifest || self == .dockerManifest }

  /// Whether it is a manifest of Docker's schema 1.
  var isSchema1: Bool { self == .dockerSchema1 || self == .dockerSchema1Signed }

  /// Whether it is a layer that lies on its vendor's server only.
  var isForeignLayer: Bool {
    self == .dockerForeignLayer || rawValue.hasPrefix("application/vnd.oci.image.layer.nondistributable.")
  }

  /// Whether it is a layer that only the holders of a key can read (ocicrypt).
  var isEncrypted: Bool { rawValue.hasSuffix("+encrypted") }

  /// Whether it is a layer of an image, in whatever compression; an artifact such as a Helm chart has others.
  var isLayer: Bool {
    rawValue.hasPrefix("application/vnd.oci.image.layer.v1.tar")
      || rawValue.hasPrefix("application/vnd.docker.image.rootfs.diff.tar")
  }
}
