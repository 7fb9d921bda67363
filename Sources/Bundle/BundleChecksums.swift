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
    files.filter { $0.path.description != fileName }.sorted { $0.path < $1.path }
      .map { "\($0.sha256.hex)  \($0.path)\n" }.joined()
  }
}
