import SystemPackage

/// Names for files that are not complete yet. They lie beside the final name, in the same file system, and no file of a
/// bundle may have such a name: so what is on its way never stands in the place of something else, whatever a list or a
/// server calls its files.
public enum IncompleteName {
  /// What every such name begins with; no other file of this program does.
  public static let prefix = ".incomplete."

  /// Whether a path ends in such a name. File systems that ignore case would take other spellings for the same.
  public static func matches(_ path: String) -> Bool {
    (path.split(separator: "/").last ?? "").lowercased().hasPrefix(prefix)
  }

  /// A name of that kind in the folder of a path.
  ///
  /// - Parameters:
  ///   - path: A path in the folder: the final name, for one. It need not exist.
  ///   - kind: What it is for: names of different kinds never meet.
  ///   - name: What it belongs to, within the folder and the kind.
  public static func path(beside path: FilePath, kind: String, name: String) -> FilePath {
    path.removingLastComponent().appending("\(prefix)\(name).\(kind)")
  }
}
