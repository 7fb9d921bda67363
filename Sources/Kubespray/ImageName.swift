/// Names of images as Docker reads them.
enum ImageName {
  /// Adds what Docker leaves out: `nginx` is `docker.io/library/nginx`, `calico/node` is `docker.io/calico/node`.
  ///
  /// The first part is a registry when it has a dot or a colon or is `localhost`
  /// (distribution/reference, `splitDockerDomain`).
  static func expanded(_ name: String) -> String {
    guard let slash = name.firstIndex(of: "/") else {
      return name.contains(".") && !name.contains(":") ? name : "docker.io/library/\(name)"
    }
    let first = name[..<slash]
    if first.contains(".") || first.contains(":") || first == "localhost" { return name }
    return "docker.io/\(name)"
  }

  /// Whether a text has the shape `NAME:TAG` or `NAME@DIGEST` without blanks or unevaluated expressions.
  static func isReference(_ text: String) -> Bool {
    let last = text.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    guard let mark = last.lastIndex(where: { $0 == ":" || $0 == "@" }), mark != last.startIndex,
      last.index(after: mark) != last.endIndex
    else { return false }
    return text.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "/:@._-".utf8.contains(byte)
    } && !text.hasPrefix("/") && !text.contains("//")
  }
}
