import Bundle
import Console
import Host
import Integrity
import Kubespray
import SystemPackage
import Transfer

/// The kubespray source and its catalog, each made once in a run, whichever stage asks first.
final class KubesprayProvider: Sendable {
  /// The source of this run.
  struct Source: Sendable {
    /// Our copy, and the tarball for the bundle.
    let copy: WorkingCopy
    /// Where the tarball was fetched from; `nil` when the user gave the source.
    let origin: String?
  }

  /// Whether git fetches the source.
  let usesGit: Bool
  /// Whether there are local patches for the version asked for.
  let hasPatches: Bool

  private let sourceMemo: Memo<Source>
  private let catalogMemo: Memo<Catalog>
}
