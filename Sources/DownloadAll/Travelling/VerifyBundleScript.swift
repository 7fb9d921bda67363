import Integrity

/// The script `verify-bundle`, which proves a bundle before anything of the bundle runs. It is to reach the machine
/// without internet on another way than the bundle, so no bundle has it.
public enum VerifyBundleScript {
  /// The name of its file.
  public static let name = "verify-bundle"

  /// Its text, for every POSIX shell.
  public static let text = String(decoding: PackageResources.verify_bundle_sh, as: UTF8.self)

  /// Its SHA-256 in hexadecimal, by which a person knows it again.
  public static var sha256: String { Digest(of: Array(text.utf8)).hex }

  /// The file for `sha256sum -c`.
  public static var checksumLine: String { "\(sha256)  \(name)\n" }
}
