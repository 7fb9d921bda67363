import Console

extension ServedReleases {
  /// What a person is told when a bundle takes its place beside those that were set up before: what is gone, what stays, and
  /// on which nodes something is to be done.
  var remarks: [(level: MessageLevel, text: String)] {
    var remarks = dropped.map { (level: MessageLevel.warning, text: Self.remark($0)) }
    let kept = releases.dropFirst().map { "\($0.kubespray) from \($0.folder)" }
    if !kept.isEmpty {
      remarks.append((.info, "earlier releases stay served: \(kept.joined(separator: ", "))"))
    }
    remarks += conflicts.map { (.warning, Self.remark($0.release, differingAt: $0.paths)) }
    guard let present = releases.first else { return remarks }
    if let refused = replaced.map(present.repositoriesRefused), !refused.isEmpty {
      remarks.append((.warning, Self.remark(present, refused: refused)))
    }
    return remarks + ofEarlierVersion.map { (.warning, Self.remark($0, before: present)) }
  }

  private static func remark(_ dropped: Dropped) -> String {
    let parts = dropped.parts.map(\.rawValue).joined(separator: ", ")
    return
      "of kubespray \(dropped.release.kubespray) no longer served: \(parts), since \(dropped.reason). A cluster of that "
      + "release cannot be extended until its bundle is set up again from a folder of its own"
  }

  private static func remark(_ release: ServedRelease, differingAt paths: [String]) -> String {
    let address = release.addressPart.map {
      ". files_repo: \"{{ http_server }}/releases/\($0)/files\" in an inventory of that release asks for its own"
    }
    return
      "/files has another content than kubespray \(release.kubespray) knows at \(paths.prefix(5).joined(separator: ", "))"
      + (paths.count > 5 ? " and \(paths.count - 5) more" : "") + (address ?? "")
  }

  private static func remark(_ present: ServedRelease, refused repositories: [String]) -> String {
    "this bundle takes the place of another one of kubespray \(present.kubespray), and "
      + "\(repositories.joined(separator: ", ")) has another key. Nodes that were prepared from the other one refuse its "
      + "packages (NO_PUBKEY) until you run this bundle's offline-repo.yml on them"
  }

  private static func remark(_ earlier: ServedRelease, before present: ServedRelease) -> String {
    "kubespray \(earlier.kubespray) was set up by an earlier version of this program: its nodes ask /debs, /rpms and /pypi "
      + "for packages, where those of kubespray \(present.kubespray) are now. Unless one key signed both bundles, run "
      + "offline-repo.yml of kubespray \(present.kubespray) on these nodes"
  }
}
