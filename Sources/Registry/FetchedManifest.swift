import Integrity

/// A manifest or index, exactly as a registry served it.
public struct FetchedManifest: Sendable, Hashable {
  /// Its type, digest and size, and in an index's entry its platform.
  public let descriptor: Descriptor
  /// Its bytes, of which the digest is made.
  public let bytes: [UInt8]
  /// What they say.
  public let content: ManifestContent

  /// Checks bytes against their descriptor, and reads them.
  ///
  /// - Throws: ``ManifestFormatError``; `malformed` also when size or digest differ.
  public init(_ bytes: [UInt8], descriptor: Descriptor) throws(ManifestFormatError) {
    guard descriptor.size == bytes.count else {
      throw .malformed("it has \(bytes.count) bytes where \(descriptor.size) were announced")
    }
    let actual = Digest(of: bytes, algorithm: descriptor.digest.algorithm)
    guard actual == descriptor.digest else {
      throw .malformed("it has digest \(actual) where \(descriptor.digest) was announced")
    }
    content = try ManifestContent(bytes, mediaType: descriptor.mediaType)
    self.descriptor = descriptor
    self.bytes = bytes
  }

  private init(_ other: FetchedManifest, descriptor: Descriptor) {
    self.descriptor = descriptor
    bytes = other.bytes
    content = other.content
  }

  /// The same bytes with what an index adds to their descriptor.
  func describing(_ descriptor: Descriptor) -> FetchedManifest {
    FetchedManifest(self, descriptor: descriptor)
  }
}
