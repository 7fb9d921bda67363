import Archive
import Bundle
import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// What the indexes of package repositories say of their files.
enum ShellIndexes {
  /// A file and its digest.
  struct Entry: Sendable, Equatable {
    /// The path below the repository.
    let path: String
    let digest: Digest
  }

  /// The packages of a Debian index (`Packages`).
  static func debian(_ text: String) -> [Entry] {
    var entries: [Entry] = []
    var (path, digest): (String?, Digest?) = (nil, nil)
    func finish() {
      if let path, let digest { entries.append(Entry(path: path, digest: digest)) }
      (path, digest) = (nil, nil)
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.isEmpty {
        finish()
      } else if line.hasPrefix("Filename: ") {
        let name = line.dropFirst("Filename: ".count)
        path = String(name.hasPrefix("./") ? name.dropFirst(2) : name)
      } else if line.hasPrefix("SHA256: ") {
        digest = try? Digest(algorithm: .sha256, hex: String(line.dropFirst("SHA256: ".count)))
      }
    }
    finish()
    return entries
  }

  /// The packages of an RPM repository, from its `primary.xml`, whatever that is compressed with.
  ///
  /// - Throws: `ArchiveError`, or ``StepError`` when there is none.
  static func rpm(_ repository: FilePath) throws -> [Entry] {
    let list = try readText(repository.pushing("repodata/repomd.xml"))
    let data = list.components(separatedBy: "<data ").first { $0.hasPrefix("type=\"primary\"") }
    guard let data, let name = attribute("href", in: data, behind: "<location") else {
      throw StepError("repodata/repomd.xml names no primary metadata", .verify)
    }
    let plain = try withTemporaryFolder { folder in
      let plain = folder.appending("primary.xml")
      try ArchiveReader.decompress(repository.pushing(FilePath(name)), to: plain)
      return try readText(plain)
    }
    return plain.components(separatedBy: "<package ").dropFirst().compactMap { package in
      guard let path = attribute("href", in: package, behind: "<location"),
        let checksum = package.firstRange(of: "<checksum type=\"sha256\""),
        let open = package[checksum.upperBound...].firstIndex(of: ">")
      else { return nil }
      let hex = String(package[open...].dropFirst().prefix { $0 != "<" })
      return (try? Digest(algorithm: .sha256, hex: hex)).map { Entry(path: path, digest: $0) }
    }
  }

  /// The files of a page of a Python index (PEP 503), with the digests that they are named with.
  static func python(_ text: String) -> [(name: String, digest: Digest?)] {
    text.components(separatedBy: "href=\"").dropFirst().compactMap { part in
      let link = part.prefix { $0 != "\"" }.split(separator: "#", maxSplits: 1)
      guard let path = link.first, !path.hasSuffix("/"), let file = path.split(separator: "/").last,
        let name = percentDecoded(file), name != "index.html"
      else { return nil }
      let digest = link.dropFirst().first.flatMap { fragment -> Digest? in
        let words = fragment.split(separator: "=", maxSplits: 1)
        guard words.count == 2, words[0] == "sha256" else { return nil }
        return try? Digest(algorithm: .sha256, hex: String(words[1]))
      }
      return (name, digest)
    }
  }

  private static func attribute(_ name: String, in text: String, behind tag: String) -> String? {
    guard let start = text.firstRange(of: tag),
      let found = text[start.upperBound...].firstRange(of: "\(name)=\"")
    else { return nil }
    return String(text[found.upperBound...].prefix { $0 != "\"" })
  }
}
