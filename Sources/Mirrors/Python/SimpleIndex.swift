import Archive
import Bundle
import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// The pages of a simple repository (PEP 503) with relative links only, so that they work below any URL.
struct SimpleIndex {
  /// A file on a project's page.
  private struct Entry {
    let name: String
    let digest: Digest
    let requiresPython: String
    /// The content of its metadata, for a wheel.
    let metadata: [UInt8]?
  }

  /// The files by the normalized name of their project.
  private var projects: [String: [Entry]] = [:]

  /// Reads what the pages must tell.
  ///
  /// - Throws: ``PythonIndexError/foreign(path:)`` or `FileError`.
  init(_ resolution: MirrorResolution, content: FilePath) throws {
    for file in resolution.files {
      guard let note = resolution.notes[file.path], file.path.hasPrefix("files/"),
        let attributes = try? JSONDecoder().decode(MergedFiles.Attributes.self, from: Data(note.utf8))
      else { throw PythonIndexError.foreign(path: file.path) }
      let place = content.appending(file.path)
      let entry = Entry(
        name: String(file.path.dropFirst("files/".count)),
        digest: try file.digest ?? Digest(ofFile: place),
        requiresPython: attributes.requiresPython, metadata: Self.metadata(of: place))
      projects[attributes.project, default: []].append(entry)
    }
  }

  /// Writes the pages and the metadata.
  ///
  /// - Throws: `FileError`.
  func write(to folder: FilePath) throws {
    try createDirectories(folder.appending("files"))
    let names = projects.keys.sorted()
    let root = names.map { "<a href=\"\(Self.quoted($0))/\">\(Self.escaped($0))</a><br>" }
    try Self.write(Self.page("Simple index", root), to: folder.appending("index.html"))
    for name in names {
      let entries = (projects[name] ?? []).sorted { $0.name < $1.name }
      try createDirectories(folder.appending(name))
      let page = Self.page("Links for \(name)", entries.map(Self.link))
      try Self.write(page, to: folder.appending(name).appending("index.html"))
      for entry in entries {
        guard let metadata = entry.metadata else { continue }
        let place = folder.appending("files").appending(entry.name + ".metadata")
        try writeAtomically(metadata, to: place, isDurable: false)
      }
    }
  }

  /// They are copied into the bundle afterwards, which waits for the disk.
  private static func write(_ page: String, to path: FilePath) throws {
    try writeAtomically(Array(page.utf8), to: path, isDurable: false)
  }

  private static func link(to entry: Entry) -> String {
    let place = "../files/\(quoted(entry.name))#\(entry.digest.algorithm.rawValue)=\(entry.digest.hex)"
    var attributes = "href=\"\(escaped(place))\""
    if !entry.requiresPython.isEmpty {
      attributes += " data-requires-python=\"\(escaped(entry.requiresPython))\""
    }
    if let metadata = entry.metadata {
      // Only by the name of PEP 714. pip 22.3 to 23.0, which is Debian 12's, reads data-dist-info-metadata and then
      // refuses a wheel whose metadata spells the project's name differently, such as Jinja2.
      attributes += " data-core-metadata=\"sha256=\(Digest(of: metadata).hex)\""
    }
    return "<a \(attributes)>\(escaped(entry.name))</a><br>"
  }

  private static func page(_ title: String, _ lines: [String]) -> String {
    TextTemplate(PackageResources.index_html, quoting: escaped)
      .filled(["title": title], verbatim: ["links": lines.joined(separator: "\n")])
  }

  /// The METADATA file of a wheel (PEP 427); `nil` for anything else, and for a wheel in which it cannot be found:
  /// pip then looks for itself.
  private static func metadata(of file: FilePath) -> [UInt8]? {
    guard file.extension == "whl" else { return nil }
    var found: [UInt8]?
    try? ArchiveReader.visit(file) { entry, content in
      let names = entry.path.split(separator: "/")
      guard names.count == 2, names[0].hasSuffix(".dist-info"), names[1] == "METADATA" else { return .next }
      found = try content.bytes(limit: 8 << 20)
      return .stop
    }
    return found
  }

  /// The text in an HTML attribute or between tags.
  @Sendable private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }

  /// The name as a segment of a URL (RFC 3986, section 2.3): `+` too, which some servers take for a space.
  private static func quoted(_ name: String) -> String {
    percentEncoded(name)
  }
}
