import Files
import SystemPackage

/// The identity of a Linux distribution, as its os-release file tells it.
///
/// Source: os-release(5).
public struct OSRelease: Sendable, Equatable {
  /// `ID`: the distribution in lower case, such as `debian` or `rocky`; `linux` when the file has none.
  public let id: String
  /// `ID_LIKE`: the distributions it derives from, closest first.
  public let idLike: [String]
  /// `VERSION_ID`, such as `12`, `24.04` or `9.4`; empty on rolling releases such as Debian sid.
  public let versionID: String
  /// `PRETTY_NAME`: a name for people.
  public let prettyName: String

  /// Which package world a distribution belongs to.
  public enum Family: String, Sendable {
    /// apt and .deb: Debian, Ubuntu and their derivatives.
    case debian
    /// dnf and .rpm: RHEL, its rebuilds, CentOS Stream and Fedora.
    case redHat
    /// zypper and .rpm: openSUSE and SUSE Linux Enterprise.
    case suse
    /// Anything else.
    case other
  }

  /// The package world, by `ID` and then by `ID_LIKE`.
  public var family: Family {
    for name in [id] + idLike {
      switch name {
      case "debian", "ubuntu": return .debian
      case "rhel", "centos", "fedora", "rocky", "almalinux", "ol": return .redHat
      case "suse", "opensuse", "opensuse-leap", "opensuse-tumbleweed", "sles", "sled": return .suse
      default: continue
      }
    }
    return .other
  }

  /// The number before the first dot of ``versionID``; nil when there is none.
  public var majorVersion: Int? { Int(versionID.prefix { $0 != "." }) }

  /// The distribution this program runs on.
  ///
  /// - Throws: ``OSReleaseError`` when neither of the two standard files can be read.
  public static func current() throws(OSReleaseError) -> OSRelease {
    for path: FilePath in ["/etc/os-release", "/usr/lib/os-release"] {
      if let text = try? readText(path, limit: 64 << 10) { return parse(text) }
    }
    throw OSReleaseError()
  }

  /// Reads the text of an os-release file. Lines that are not assignment are passed over, as the
  /// specification asks; the last of several assignments to one name counts.
  public static func parse(_ text: String) -> OSRelease {
    var values: [Substring: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      let trimmed = line.drop { $0 == " " || $0 == "\t" }
      guard !trimmed.hasPrefix("#"), let equals = trimmed.firstIndex(of: "=") else { continue }
      values[trimmed[..<equals]] = unquote(trimmed[trimmed.index(after: equals)...])
    }
    let id = values["ID"] ?? ""
    let versionID = values["VERSION_ID"] ?? ""
    return OSRelease(
      id: id.isEmpty ? "linux" : id.lowercased(),
      idLike: (values["ID_LIKE"] ?? "").lowercased().split(separator: " ").map(String.init),
      versionID: versionID,
      prettyName: values["PRETTY_NAME"] ?? values["NAME"] ?? "Linux")
  }

  /// Undoes the shell quoting that the specification allows: one pair of quotes around the value, and
  /// backslash escapes where a shell knows them.
  private static func unquote(_ raw: Substring) -> String {
    var rest = raw
    while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
    var quote: Character?
    if let first = rest.first, first == "\"" || first == "'", rest.count > 1, rest.last == first {
      quote = first
      rest = rest.dropFirst().dropLast()
    }
    if quote == "'" { return String(rest) }
    var result = ""
    var escaped = false
    for character in rest {
      if escaped {
        // Inside double quotes a shell keeps the backslash before any other character.
        if quote != nil, !"\"\\$`".contains(character) { result.append("\\") }
        result.append(character)
        escaped = false
      } else if character == "\\" {
        escaped = true
      } else {
        result.append(character)
      }
    }
    return result
  }
}

/// Neither `/etc/os-release` nor `/usr/lib/os-release` can be read.
public struct OSReleaseError: Error, CustomStringConvertible {
  /// A sentence for people.
  public var description: String {
    "cannot tell which Linux distribution this is: neither /etc/os-release nor /usr/lib/os-release "
      + "can be read"
  }
}
