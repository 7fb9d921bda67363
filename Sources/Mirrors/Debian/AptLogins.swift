import Bundle
import Files
import FoundationEssentials
import SystemPackage

/// The logins that apt knows for archives (apt_auth.conf(5)): `auth.conf` and `auth.conf.d/*.conf`, in the form of netrc.
///
/// apt takes the first entry that fits an address. An entry without a protocol is for `https` (and `tor+https`) alone, so
/// that no password goes over a line that anybody reads; one that begins with `http://` says that it may.
struct AptLogins: Sendable {
  private struct Entry {
    var scheme: String?
    var host = ""
    var path = ""
    var user = ""
    var password = ""
  }

  private var entries: [Entry] = []

  /// Reads what a host has.
  ///
  /// - Parameter etc: The folder of apt's configuration.
  init(_ etc: FilePath) {
    let parts = ((try? listFolder(etc.appending("auth.conf.d"))) ?? []).filter {
      AptSource.isFileName($0, [".conf"])
    }
    let files = [etc.appending("auth.conf")] + parts.map { etc.appending("auth.conf.d").appending($0) }
    for file in files { if let text = try? readTypedText(file) { read(text) } }
  }

  /// Reads a text.
  init(_ text: String) { read(text) }

  private mutating func read(_ text: String) {
    // A password may begin with "#", so only a whole line is a comment.
    let lines = TypedText(text).lines.map { AptSource.words($0.text) }
    var words = lines.filter { $0.first?.utf8.first != UInt8(ascii: "#") }.flatMap(\.self)[...]
    var entry: Entry?
    while let word = words.popFirst() {
      switch word.lowercased() {
      case "machine", "default":
        if let entry { entries.append(entry) }
        // Of `default` apt knows nothing; what follows it is for nobody.
        entry = word.lowercased() == "machine" ? words.popFirst().map(Self.entry) : nil
      case "login": entry?.user = words.popFirst() ?? ""
      case "password": entry?.password = words.popFirst() ?? ""
      default: continue
      }
    }
    if let entry { entries.append(entry) }
  }

  private static func entry(_ machine: String) -> Entry {
    var entry = Entry()
    var rest = machine[...]
    if let scheme = rest.firstRange(of: "://") {
      entry.scheme = rest[..<scheme.lowerBound].lowercased()
      rest = rest[scheme.upperBound...]
    }
    let host = rest.prefix { $0 != "/" }
    entry.host = host.lowercased()
    entry.path = String(rest[host.endIndex...])
    return entry
  }

  /// The address with the login that apt would use there, if it has none.
  func adding(to url: String) -> String {
    guard let separator = url.firstRange(of: "://") else { return url }
    let scheme = url[..<separator.lowerBound].lowercased()
    let authority = url[separator.upperBound...].prefix { $0 != "/" }
    guard !authority.contains("@"),
      let entry = entry(scheme, authority.lowercased(), url[authority.endIndex...])
    else { return url }
    return url[..<separator.upperBound] + "\(percentEncoded(entry.user)):\(percentEncoded(entry.password))@"
      + url[separator.upperBound...]
  }

  private func entry(_ scheme: String, _ host: String, _ path: Substring) -> Entry? {
    // An entry without a port is for every port.
    let hosts = [host, host.replacing(/:[0-9]+$/, with: "")]
    return entries.first { entry in
      (entry.scheme == scheme || entry.scheme == nil && scheme == "https") && hosts.contains(entry.host)
        && path.hasPrefix(entry.path)
    }
  }
}
