import Integrity
import SystemPackage

/// Our own copy of a kubespray tree, with the local patches applied, and the unpatched tarball of it.
public struct WorkingCopy: Sendable {
  /// The name of its entry in the cache.
  let name: String
  /// The patched tree below the cache folder.
  public let tree: KubesprayTree
  /// The tarball for outputs/files, without patches: the target applies them when it extracts.
  public let tarball: FilePath
  /// The version that tree and tarball are named after.
  public let version: KubesprayVersion
  /// The id that git gives to the files of the tarball, in its SHA-256 format.
  public let sourceTree: Digest
  /// The commit that was checked out, for what git has fetched.
  public let commit: String?
  /// What the content of the copy is made of: a digest of source and patches.
  public let stamp: String

  /// Whether the tarball has exactly the files of the release that it is named after.
  public var isKnownRelease: Bool { KubesprayReleases.tree(of: version) == sourceTree }
}
