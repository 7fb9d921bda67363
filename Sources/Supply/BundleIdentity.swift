import Bundle
import Integrity

/// Which bundle is meant, for what is made for one bundle and must not be used with another.
///
/// The digest over the list of its files decides; the rest is for people. So the inventory of a bundle, or a manifest that
/// was closed again without a change, stands for the same bundle.
public struct BundleIdentity: Sendable, Codable, Equatable, CustomStringConvertible {
  /// The kubespray version.
  public let kubespray: String
  /// The id of the manifest; `nil` in format 1.
  public let id: String?
  /// When the manifest was written (ISO 8601, UTC).
  public let created: String
  /// The digest of the list of files, as `SHA256SUMS` has it.
  public let files: Digest

  /// The identity of the bundle that a manifest describes.
  public init(_ manifest: Manifest) {
    kubespray = manifest.kubespray
    id = manifest.id
    created = manifest.created
    files = BundleChecksums.digest(of: manifest.files)
  }

  /// Whether both have the same files.
  public func isSame(as other: BundleIdentity) -> Bool { files == other.files }

  /// A few words for people, with the first digits by which two bundles can be told apart.
  public var description: String {
    let name = id.map { "id \($0.prefix(8))" } ?? "without id"
    return "kubespray \(kubespray) of \(created) (\(name), files \(files.hex.prefix(8)))"
  }
}
