/// The names that files have while they are brought into the bundle.
enum Remains {
  /// Whether a file is what an interrupted run left.
  ///
  /// - Parameter known: The files that are, or were, brought into the bundle. Only this program downloads to `.part`
  ///   in a bundle, but anybody may have a `.tmp`.
  static func contains(_ name: String, known: Set<String>) -> Bool {
    if [".part", ".part.meta", ".part.meta.tmp"].contains(where: name.hasSuffix) { return true }
    return name.hasSuffix(".tmp") && known.contains(String(name.dropLast(4)))
  }
}
