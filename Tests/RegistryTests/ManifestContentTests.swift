import Integrity
import Registry
import TestRegistry
import Testing

@Suite struct ManifestContentTests {
  private let digest = Digest(of: [])

  @Test(
    arguments: [
      ("{\"schemaVersion\":1,\"name\":\"a\"}", MediaType.ociManifest, "schema 1"),
      ("{}", .dockerSchema1Signed, "schema 1"), ("{}", MediaType(rawValue: "text/html"), "text/html"),
      ("{}", .ociManifest, "schemaVersion is missing"), ("[]", .ociManifest, "malformed"),
      ("<html>", .ociManifest, "not JSON"), ("{\"schemaVersion\":2}", .ociManifest, "it has no config"),
      ("{\"schemaVersion\":2}", .ociIndex, "it has no manifests"),
      ("{\"schemaVersion\":2,\"mediaType\":\"x\"}", .ociIndex, "calls itself x"),
      ("{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", .ociIndex, "at once"),
      (
        "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x\",\"digest\":\"D\",\"size\":-1}]}", .ociIndex,
        "negative"
      ),
      (
        "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x\",\"digest\":\"md5:0\",\"size\":1}]}",
        .ociIndex,
        "not a digest"
      ),
      (
        "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x\",\"digest\":\"D\",\"size\":1},\"layers\":"
          + "[{\"mediaType\":\"x\",\"digest\":\"D\",\"size\":2}]}", .ociManifest, "two sizes"
      ),
    ] as [(String, MediaType, String)])
  func `What is no usable manifest says why`(text: String, type: MediaType, reason: String) throws {
    let bytes = Array(text.replacing("\"D\"", with: "\"\(digest)\"").utf8)
    let error = try #require(
      #expect(throws: ManifestFormatError.self) { try ManifestContent(bytes, mediaType: type) })
    #expect(error.description.contains(reason), "\(error)")
  }

  @Test func `A manifest of more than 4 MiB is refused`() {
    #expect(throws: ManifestFormatError.tooLarge) {
      try ManifestContent([UInt8](repeating: 32, count: 4 << 20 + 1), mediaType: .ociManifest)
    }
  }

  @Test func `Blobs count once`() throws {
    let layer = TestImage.Blob([9], .ociLayerGzip)
    let image = TestImage(layers: [layer, layer])
    guard case .manifest(let manifest) = try ManifestContent(image.manifest.bytes, mediaType: .ociManifest)
    else {
      Issue.record("no manifest")
      return
    }
    #expect(manifest.blobs == [image.config.descriptor, layer.descriptor])
  }
}
