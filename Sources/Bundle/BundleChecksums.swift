import Integrity

/// `SHA256SUMS`: the digests of a bundle's files in the form that `sha256sum -c` reads on every system.
///
/// The manifest lists it, so that a signature over the manifest signs it too.
public enum BundleChecksums {
  /// The name in `outputs/`.
  public static let fileName = "SHA256SUMS"

  /// The content for a bundle with these files; itself it leaves out.
  ///
  /// Source: GNU coreutils, "md5sum invocation": digest, two spaces, name. Names with a backslash, a line feed or a
  /// carriage return would be written otherwise; a ``BundlePath`` has none.
  public static func text(of files: [ManifestFile]) -> String {
    var text = ""
    forEachLine(of: files) { text += $0 }
    return text
  }

  /// The digest of ``text(of:)``, which is not held for that.
  public static func digest(of files: [ManifestFile]) -> Digest {
    var hasher = DigestHasher(.sha256)
    forEachLine(of: files) { line in
      var line = line
      line.withUTF8 { hasher.update(UnsafeRawBufferPointer($0)) }
    }
    return hasher.finalize()
  }

  private static func forEachLine(of files: [ManifestFile], _ body: (String) -> Void) {
    for file in Manifest.sorted(files) where file.path.description != fileName {
      body("\(file.sha256.hex)  \(file.path)\n")
    }
  }
}
