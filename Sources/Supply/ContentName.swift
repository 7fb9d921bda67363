import Bundle
import Integrity

/// What a file of a bundle is called by people: the component, and its version.
struct ContentName: Equatable {
  /// What it is, such as `kubelet` or `quay.io/calico/node`.
  let component: String
  /// Its version, if its name tells one.
  let version: String?
  /// What stays the same from version to version.
  let key: String

  init(_ file: ManifestFile) {
    let path = file.path.description
    let name = path.split(separator: "/").last.map(String.init) ?? path
    if let reference = file.image?.reference {
      let version = [reference.tag, reference.digest.map { String($0.hex.prefix(12)) }].compactMap(\.self)
      self.init(reference.name, version.joined(separator: "@"), key: reference.name)
    } else if let package = Self.package(name) {
      self.init(package.name, package.version, key: "\(package.name) \(package.kind)")
    } else {
      self.init(path: path)
    }
  }

  private init(_ component: String, _ version: String?, key: String) {
    (self.component, self.version, self.key) = (component, version, key)
  }

  // MARK: Packages

  private struct Package {
    let name: String
    let version: String
    /// What tells packages of one name apart: architecture, or the tags of a wheel.
    let kind: String
  }

  /// The parts of a package's file name.
  ///
  /// Source: Debian Policy, 5.6.12 (NAME_VERSION_ARCHITECTURE.deb); rpm (NAME-VERSION-RELEASE.ARCHITECTURE.rpm); Python
  /// packaging, "Binary distribution format" (NAME-VERSION-…-PYTHON-ABI-PLATFORM.whl).
  private static func package(_ file: String) -> Package? {
    if file.hasSuffix(".deb") {
      let parts = file.dropLast(4).split(separator: "_").map(String.init)
      guard parts.count == 3 else { return nil }
      // apt writes the colon of an epoch as an escape.
      let version = parts[1].split(separator: "%3a").joined(separator: ":")
      return Package(name: parts[0], version: version, kind: parts[2])
    }
    if file.hasSuffix(".rpm") {
      let stem = file.dropLast(4)
      guard let dot = stem.lastIndex(of: ".") else { return nil }
      let parts = stem[..<dot].split(separator: "-")
      guard parts.count > 2 else { return nil }
      return Package(
        name: parts.dropLast(2).joined(separator: "-"), version: parts.suffix(2).joined(separator: "-"),
        kind: String(stem[stem.index(after: dot)...]))
    }
    if file.hasSuffix(".whl") {
      let parts = file.dropLast(4).split(separator: "-").map(String.init)
      guard parts.count >= 5 else { return nil }
      return Package(name: parts[0], version: parts[1], kind: parts.suffix(3).joined(separator: "-"))
    }
    return nil
  }

  // MARK: Other files

  private static let endings = [
    ".tar.gz", ".tar.xz", ".tgz", ".zip", ".gz", ".xz", ".yaml", ".yml", ".json", ".txt",
  ]
  private static let systems: Set<String> = [
    "linux", "amd64", "arm64", "arm", "x86", "64", "x86_64", "aarch64",
  ]

  private init(path: String) {
    let segments = path.split(separator: "/").map(String.init)
    var version: String?
    var key: [String] = []
    var names: [String] = []
    for segment in segments {
      let (before, found, after) = Self.split(segment)
      version = found ?? version
      key.append(found == nil ? segment : "\(before)*\(after)")
      names.append(Self.component(before, after))
    }
    // A file that is named by its version alone has the name of its folder.
    let component = names.last { !$0.isEmpty } ?? path
    self.init(component, version, key: key.joined(separator: "/"))
  }

  /// The name without what tells systems and formats.
  private static func component(_ before: String, _ after: String) -> String {
    var text = before + after
    for ending in endings where text.hasSuffix(ending) {
      text.removeLast(ending.count)
      break
    }
    let words = text.split { "-_.".contains($0) }
    return words.filter { !systems.contains($0.lowercased()) }.joined(separator: "-")
  }

  /// A name cut at its version: digits with a dot among them, and what follows them as a part of the version.
  private static func split(_ name: String) -> (before: String, version: String?, after: String) {
    let bytes = Array(name.utf8)
    func isDigit(_ index: Int) -> Bool { index < bytes.count && (0x30...0x39).contains(bytes[index]) }
    var start = 0
    while start < bytes.count {
      let isWordStart = start == 0 || "-_.".utf8.contains(bytes[start - 1])
      let first = bytes[start] == UInt8(ascii: "v") && isDigit(start + 1) ? start + 1 : start
      guard isWordStart, isDigit(first) else {
        start += 1
        continue
      }
      var (end, dots) = (first, 0)
      while isDigit(end) || (end < bytes.count && bytes[end] == UInt8(ascii: ".") && isDigit(end + 1)) {
        if bytes[end] == UInt8(ascii: ".") { dots += 1 }
        end += 1
      }
      if dots > 0 || first > start {
        end = preRelease(bytes, after: end)
        return (text(bytes[..<start]), text(bytes[start..<end]), text(bytes[end...]))
      }
      start = max(end, start + 1)
    }
    return (name, nil, "")
  }

  /// Where `-rc.1` and the like end, if something like that follows a version.
  private static func preRelease(_ bytes: [UInt8], after end: Int) -> Int {
    for word in ["-rc", "-alpha", "-beta", "rc"] where bytes[end...].starts(with: word.utf8) {
      var place = end + word.utf8.count
      while place < bytes.count,
        (0x30...0x39).contains(bytes[place])
          || (bytes[place] == UInt8(ascii: ".") && place + 1 < bytes.count
            && (0x30...0x39).contains(bytes[place + 1]))
      { place += 1 }
      return place
    }
    return end
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
