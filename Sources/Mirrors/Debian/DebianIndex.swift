import Bundle
import Files
import FoundationEssentials
import Glibc
import Host
import Integrity
import SystemPackage

/// The files that make a folder of packages a repository.
///
/// The paragraphs are the distribution's own, from its signed lists: the packages have been verified against them, so
/// nothing has to be read out of hundreds of archives again, and what lies in the folder besides is not indexed.
struct DebianIndex {
  let target: PackageTarget
  let architectures: [Architecture]
  let signingKey: SigningKey?

  /// The note of a resolution that has the paragraphs.
  static let note = "Packages"

  /// The paragraph of a package as our index has it.
  static func paragraph(_ control: DebianControl, path: String) -> String {
    var lines: [String] = []
    for line in control.text.split(separator: "\n") {
      // Ubuntu lets some machines wait for an upgrade: here there is no older version to stay at.
      if line.hasPrefix("Phased-Update-Percentage:") { continue }
      lines.append(line.hasPrefix("Filename:") ? "Filename: \(path)" : String(line))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Writes the files.
  func write(
    _ resolution: MirrorResolution, folder: BundlePath, content: FilePath, to destination: FilePath
  ) async throws {
    guard let packages = resolution.notes[Self.note], !packages.isEmpty else {
      throw DebianRepositoryError.noParagraphs(folder: folder.description)
    }
    for file in resolution.files {
      let path = content.appending(file.path)
      guard let status = FileInfo(regularFile: path), file.size == nil || status.size == file.size else {
        throw DebianRepositoryError.missingFile(path)
      }
    }
    let paragraphs = Self.paragraphs(packages, of: resolution.files)
    // One index for all would not do: apt (2.6) parses the entries of other architectures too, and of two entries for one
    // package it then forgets what the second provides.
    if let main = architectures.first { try await write(paragraphs, for: main, to: destination) }
    for architecture in architectures where architectures.count > 1 {
      let folder = destination.appending(architecture.rawValue)
      try createDirectories(folder)
      try await write(paragraphs, for: architecture, to: folder)
    }
    guard let signingKey else { return }
    try writeAtomically(try await signingKey.publicKey(), to: destination.appending("kubespray-offline.asc"))
  }

  private func write(_ paragraphs: [String], for architecture: Architecture, to folder: FilePath) async throws
  {
    let list = folder.appending("Packages")
    let own = paragraphs.filter { Self.serves($0, architecture) }
    try writeAtomically(own.joined(separator: "\n"), to: list)
    // Without the time of the file in it: the same list gives the same bytes.
    _ = try await Command("gzip", ["-9", "--no-name", "--keep", "--force", list.string]).output()
    _ = try await Command("xz", ["-6", "--keep", "--force", list.string]).output()
    let release = folder.appending("Release")
    try writeAtomically(try releaseText(folder, architecture), to: release)
    guard let signingKey else { return }
    try await signingKey.clearsign(release, to: folder.appending("InRelease"))
    try await signingKey.detachedSignature(of: release, to: folder.appending("Release.gpg"))
  }

  /// Whether a package is for an architecture; one that does not say so is for all.
  private static func serves(_ paragraph: String, _ architecture: Architecture) -> Bool {
    let field = "Architecture: "
    let line = paragraph.split(separator: "\n").first { $0.hasPrefix(field) }
    return line.map { ["all", architecture.rawValue].contains(String($0.dropFirst(field.count))) } ?? true
  }

  /// The paragraphs of the files that are there.
  private static func paragraphs(_ text: String, of files: [MirrorResolution.File]) -> [String] {
    let names = Set(files.map { "Filename: \($0.path)" })
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.split(whereSeparator: \.isEmpty)
      .filter { $0.contains { names.contains(String($0)) } }
      .map { $0.joined(separator: "\n") + "\n" }
  }

  /// Source of the fields: the Debian wiki's "RepositoryFormat", which apt follows.
  private func releaseText(_ folder: FilePath, _ architecture: Architecture) throws -> String {
    let suite = target.codename ?? target.name
    var text = TextTemplate(PackageResources.Release).filled([
      "suite": suite, "version": target.version, "date": Self.date(), "architecture": architecture.rawValue,
      "target": "\(target)",
    ])
    for (field, algorithm) in [("SHA256", DigestAlgorithm.sha256), ("SHA512", .sha512)] {
      text += "\(field):\n"
      for name in ["Packages", "Packages.gz", "Packages.xz"] {
        let path = folder.appending(name)
        let size = FileInfo(regularFile: path)?.size ?? 0
        text += " \(try Digest(ofFile: path, algorithm: algorithm).hex) \(size) \(name)\n"
      }
    }
    return text
  }

  /// Now, as RFC 2822 writes it, in UTC.
  private static func date() -> String {
    var now = time(nil)
    var parts = tm()
    gmtime_r(&now, &parts)
    var buffer = [CChar](repeating: 0, count: 64)
    // The names of days and months are English unless a program asks for another locale, which ours does not.
    let count = strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S UTC", &parts)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
