/// Where `wget -x` puts a file: host, port if it is not the scheme's own, and path (wget manual, "Directory Options").
///
/// Unlike the layout `original` of a bundle it is not bound by what FAT can keep.
struct WgetPlace: CustomStringConvertible {
  let description: String

  /// `nil` for what is not a URL of a file.
  init?(_ url: String) {
    guard let mark = url.firstRange(of: "://") else { return nil }
    let scheme = url[..<mark.lowerBound].lowercased()
    let rest = url[mark.upperBound...].prefix { $0 != "#" }
    guard let slash = rest.firstIndex(of: "/") else { return nil }
    // Logins are not part of a name.
    var host = rest[..<slash].split(separator: "@").last.map(String.init) ?? ""
    let port = scheme == "https" ? ":443" : ":80"
    if host.hasSuffix(port) { host.removeLast(port.count) }
    let path = Self.decoded(rest[slash...]).split(separator: "/")
    guard !host.isEmpty, !rest.hasSuffix("/"), !path.isEmpty,
      !path.contains(where: { $0 == ".." || $0 == "." })
    else { return nil }
    description = "\(host.lowercased())/\(path.joined(separator: "/"))"
  }

  /// `%2B` is `+` in a name.
  private static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      if byte == UInt8(ascii: "%"), digits.count == 2, let value = UInt8(digits, radix: 16), value >= 32 {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
