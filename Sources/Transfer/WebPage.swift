/// A page for people that a server sends in the place of what was asked for, with the status of success: the login page of
/// a network, a proxy's error, a firewall's refusal.
public enum WebPage {
  /// What is said of it.
  public static let fact =
    "a web page arrived in its place: a login page of the network, or the error of a proxy or a firewall"

  /// The ends of names of files that are no pages, though no digest is known for them.
  private static let others = [
    ".gz", ".tgz", ".xz", ".zst", ".bz2", ".tar", ".zip", ".deb", ".rpm", ".whl", ".iso", ".img", ".qcow2",
  ]

  /// Whether bytes are the start of a page.
  public static func begins(_ bytes: some Sequence<UInt8>) -> Bool {
    let start = bytes.lazy.drop { $0 <= 0x20 || [0xef, 0xbb, 0xbf].contains($0) }.prefix(14)
    let text = String(decoding: Array(start), as: UTF8.self).lowercased()
    return text.hasPrefix("<!doctype html") || text.hasPrefix("<html")
  }

  /// Whether an address is that of a file which is no page.
  static func isUnexpected(at url: String) -> Bool {
    let path = url.prefix { $0 != "?" && $0 != "#" }.lowercased()
    return others.contains(where: path.hasSuffix)
  }
}
