import Archive
import Bundle
import Host
import Mirrors
import Registry
import SystemPackage

/// What must be known of the files of an image before others are put on top, read from its layers without unpacking
/// them.
struct BaseContents: Sendable {
  /// The paths that matter, each with what it is: the last layer that has it decides.
  private var links: [String: String] = [:]
  private var files: Set<String> = []
  private var texts: [String: [UInt8]] = [:]

  /// The list of installed packages of Debian and Ubuntu.
  private static let status = "var/lib/dpkg/status"
  private static let releases = ["etc/os-release", "usr/lib/os-release"]
  private static let programs: Set = ["ssh", "sshpass", "rsync"]

  /// Reads layers, the lowest first.
  ///
  /// - Throws: `ArchiveError` or `CancellationError`.
  init(layers: [FilePath]) throws {
    for layer in layers {
      // What a layer takes away it takes from those below (OCI image-spec, layer.md, "Whiteouts").
      var removed: [String] = []
      var upper = BaseContents()
      try ArchiveReader.visit(layer) { entry, content in
        let path = entry.path
        let name = path.split(separator: "/").last ?? ""
        let folder = path.dropLast(name.count)
        if name == ".wh..wh..opq" {
          removed.append(String(folder))
        } else if name.hasPrefix(".wh.") {
          removed.append(String(folder) + String(name.dropFirst(4)))
        } else {
          try upper.take(entry, content)
        }
        return .next
      }
      for path in removed { remove(path) }
      links = links.filter { !upper.files.contains($0.key) }.merging(upper.links) { $1 }
      files = files.filter { upper.links[$0] == nil }.union(upper.files)
      texts.merge(upper.texts) { $1 }
    }
  }

  private init() {}

  private mutating func take(_ entry: ArchiveEntry, _ content: ArchiveContent) throws {
    let path = entry.path
    let parts = path.split(separator: "/")
    guard let name = parts.last else { return }
    let isTool = name.hasPrefix("python3") || Self.programs.contains(String(name))
    let isLoader = name.hasPrefix("ld-musl-")
    let isText = Self.releases.contains(path) || path == Self.status
    guard parts.count == 1 || isTool || isLoader || isText else { return }
    switch entry.kind {
    case .symbolicLink(let target): links[path] = target
    case .hardLink: files.insert(path)
    case .file:
      files.insert(path)
      if isText { texts[path] = try content.bytes(limit: 64 << 20) }
    case .directory, .other: break
    }
  }

  private mutating func remove(_ path: String) {
    let isBelow = { (other: String) in
      other == path || other.hasPrefix(path.hasSuffix("/") ? path : path + "/")
    }
    links = links.filter { !isBelow($0.key) }
    files = files.filter { !isBelow($0) }
    texts = texts.filter { !isBelow($0.key) }
  }

  /// What distribution it is, as far as it says.
  var system: OSRelease? {
    let text = Self.releases.lazy.compactMap { texts[$0] }.first
    return text.map { OSRelease.parse(String(decoding: $0, as: UTF8.self)) }
  }

  /// The list of installed packages, for a system that has one.
  var packageStatus: [UInt8]? { texts[Self.status] }

  /// Whether its C library is musl, for which kubespray's requirements have no wheels in the bundle.
  var isMusl: Bool { files.contains { $0.split(separator: "/").last?.hasPrefix("ld-musl-") ?? false } }

  /// A folder at the top of which the content lies elsewhere, such as `lib` in `usr/lib`.
  func mergedFolder(_ name: String) -> String? {
    links[name].map { String($0.drop { $0 == "/" }) }
  }

  /// Whether a program is in one of these folders.
  func has(_ program: String, in folders: [String]) -> Bool { find(program, in: folders) != nil }

  /// The Python 3 that `python3` starts: its path and its minor version.
  func python(in folders: [String]) -> (path: String, minor: Int)? {
    var path = find("python3", in: folders)
    for _ in 0..<8 {
      guard let found = path else { break }
      if let minor = Self.minor(found) { return ("/" + found, minor) }
      guard let target = links[found] else { break }
      path = target.hasPrefix("/") ? String(target.dropFirst()) : Self.folder(of: found) + target
    }
    // A base may have no plain name.
    for folder in folders.map(real) {
      for file in files.union(links.keys).sorted() where Self.folder(of: file) == folder + "/" {
        if let minor = Self.minor(file) { return ("/" + file, minor) }
      }
    }
    return nil
  }

  private func find(_ program: String, in folders: [String]) -> String? {
    folders.map { "\(real($0))/\(program)" }.first { files.contains($0) || links[$0] != nil }
  }

  /// A folder without the slash before it, and where its content lies.
  private func real(_ folder: String) -> String {
    let path = String(folder.drop { $0 == "/" })
    return mergedFolder(path) ?? path
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
  }

  /// The minor version of `…/python3.12`; nil for any other name.
  private static func minor(_ path: String) -> Int? {
    let name = path.split(separator: "/").last ?? ""
    guard name.hasPrefix("python3.") else { return nil }
    return Int(name.dropFirst("python3.".count))
  }
}
