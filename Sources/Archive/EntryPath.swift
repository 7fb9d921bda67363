/// A place inside a folder: path components that are neither empty, `.` nor `..`.
struct EntryPath: Equatable {
  private(set) var components: [Substring]

  /// Why a name was refused; the words follow the quoted name in a sentence.
  struct Refusal: Error {
    let reason: String
  }

  /// Takes a relative name apart; one that stands for the folder itself has no components.
  ///
  /// - Throws: ``Refusal`` for absolute names and names with `..`, even where the result would stay inside:
  ///   no honest archive needs them.
  init(_ name: String, strippingComponents count: Int = 0) throws(Refusal) {
    guard !name.hasPrefix("/") else { throw Refusal(reason: "has an absolute path") }
    let parts = name.split(separator: "/").filter { $0 != "." }
    guard !parts.contains("..") else { throw Refusal(reason: "has \"..\" in its path") }
    components = Array(parts.dropFirst(count))
  }

  /// The names joined by slashes.
  var string: String { components.joined(separator: "/") }

  /// Checks that a symbolic link at this place leads to somewhere inside the folder.
  ///
  /// `..` is allowed only at the start of the target: the way up from a real folder is known, while `..` after
  /// a name could start from wherever another link leads.
  /// - Throws: ``Refusal``.
  func checkLinkTarget(_ target: String) throws(Refusal) {
    guard !target.isEmpty else { throw Refusal(reason: "is a symbolic link without a target") }
    guard !target.hasPrefix("/") else {
      throw Refusal(reason: "is a symbolic link to the absolute path \(target.debugDescription)")
    }
    var depth = components.count - 1
    var descending = false
    for part in target.split(separator: "/") where part != "." {
      if part == ".." {
        depth -= 1
      } else {
        descending = true
      }
      guard depth >= 0, !(descending && part == "..") else {
        throw Refusal(reason: "is a symbolic link that leaves its folder, to \(target.debugDescription)")
      }
    }
  }
}
