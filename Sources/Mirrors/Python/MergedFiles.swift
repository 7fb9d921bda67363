import FoundationEssentials
import Host
import Integrity

/// The files that all Pythons need together, each once.
struct MergedFiles {
  /// What the index must tell about a file beside its name and digest; kept in the notes of a resolution.
  struct Attributes: Codable {
    /// The normalized name of its project (PEP 503).
    var project: String
    /// The Pythons that it supports (Requires-Python); may be empty.
    var requiresPython: String
  }

  private var files: [String: (file: MirrorResolution.File, attributes: Attributes)] = [:]
  private var warnings: [String] = []

  /// Adds a file of an answer.
  ///
  /// - Throws: ``PythonIndexError/ambiguous(name:urls:)`` or `DigestError`.
  mutating func add(_ file: ResolverAnswer.File) throws {
    if file.yanked {
      warn(
        "\(file.name) was withdrawn by its authors (yanked); the requirements ask for exactly this version")
    }
    if file.direct {
      let url = hidingCredentials(file.url)
      warn("the requirements name the address \(url): pip on the target will ask that server, not the mirror")
    }
    let new = MirrorResolution.File(
      path: "files/\(file.name)", url: file.url, size: file.size, digest: try Self.digest(of: file),
      // An index without TLS names files without TLS.
      isUnsigned: file.url.lowercased().hasPrefix("http://"))
    // On a stick with FAT, names that differ by case only are one.
    let key = file.name.lowercased()
    let attributes = Attributes(project: file.project, requiresPython: file.requiresPython)
    guard let old = files[key]?.file else {
      files[key] = (new, attributes)
      return
    }
    // The file of an index before one that lies on this machine, a known digest before none.
    if Self.rank(old) < Self.rank(new) {
      files[key] = (new, attributes)
    } else if Self.rank(old) == Self.rank(new), old.digest != new.digest {
      throw PythonIndexError.ambiguous(name: file.name, urls: [old.url, new.url])
    }
  }

  /// Adds a warning, once.
  mutating func warn(_ text: String) {
    let text = hidingCredentials(text)
    if !warnings.contains(text) { warnings.append(text) }
  }

  /// All of it, in order of names.
  func resolution() throws -> MirrorResolution {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var notes: [String: String] = [:]
    for (file, attributes) in files.values {
      notes[file.path] = String(decoding: try encoder.encode(attributes), as: UTF8.self)
    }
    return MirrorResolution(
      files: files.values.map(\.file).sorted { $0.path < $1.path }, notes: notes, warnings: warnings)
  }

  private static func rank(_ file: MirrorResolution.File) -> Int {
    (file.url.hasPrefix("file:") ? 0 : 2) + (file.digest == nil ? 0 : 1)
  }

  private static func digest(of file: ResolverAnswer.File) throws -> Digest? {
    if let hex = file.hashes["sha256"] { return try Digest(algorithm: .sha256, hex: hex) }
    if let hex = file.hashes["sha512"] { return try Digest(algorithm: .sha512, hex: hex) }
    return nil
  }
}
