/// The files that prove the index of a package repository, and that another key, or another time, makes others.
public enum RepositorySignature {
  /// Their names in the folder of an index: what apt, dnf and rpm look for.
  private static let names = [
    "InRelease", "Release.gpg", "kubespray-offline.asc", "repodata/repomd.xml.asc", "repodata/repomd.xml.key",
    "keys/RPM-GPG-KEY-kubespray-offline",
  ]

  /// Whether a file of a bundle is one.
  ///
  /// - Parameters:
  ///   - path: The file, relative to the folder of the bundle.
  ///   - folders: The folders of the repositories that are signed, relative to the same.
  public static func isOne(_ path: String, in folders: Set<String>) -> Bool {
    names.contains { name in
      guard path.hasSuffix("/" + name) else { return false }
      let folder = path.dropLast(name.utf8.count + 1)
      // Of several architectures, each has an index in a folder of its name.
      let above = folder.lastIndex(of: "/").map { folder[..<$0] } ?? ""
      return folders.contains(String(folder)) || folders.contains(String(above))
    }
  }
}
