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
  let signingKey: SigningKey

  /// The note of a resolution that has the paragraphs.
  static let note = "Packages"
  /// The note that has the time of the newest package lists, in seconds since 1970.
  static let timeNote = "time"

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

  /// Writes the files, and signs them.
  ///
  /// - Returns: The fingerprint of the key.
  func write(
    _ resolution: MirrorResolution, folder: BundlePath, content: FilePath, to destination: FilePath
  ) async throws -> String {
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
    let date = Self.date(resolution.notes[Self.timeNote].flatMap(ByteSize.parse) ?? 0)
    return try await signingKey.use { signer in
      // One index for all would not do: apt (2.6) parses the entries of other architectures too, and of two entries for
      // one package it then forgets what the second provides.
      if let main = architectures.first {
        try await write(paragraphs, for: main, date, signer, to: destination)
      }
      for architecture in architectures where architectures.count > 1 {
        let folder = destination.appending(architecture.rawValue)
        try createDirectories(folder)
        try await write(paragraphs, for: architecture, date, signer, to: folder)
      }
      try writeAtomically(try await signer.publicKey(), to: destination.appending("kubespray-offline.asc"))
      return signer.fingerprint
    }
  }

  private func write(
    _ paragraphs: [String], for architecture: Architecture, _ date: String, _ signer: RepositorySigner,
    to folder: FilePath
  ) async throws {
    let list = folder.appending("Packages")
    let own = paragraphs.filter { Self.serves($0, architecture) }
    try writeAtomically(own.joined(separator: "\n"), to: list)
    // Without the time of the file in it: the same list gives the same bytes.
    _ = try await Command("gzip", ["-9", "--no-name", "--keep", "--force", list.string]).output()
    _ = try await Command("xz", ["-6", "--keep", "--force", list.string]).output()
    let release = folder.appending("Release")
    try writeAtomically(try releaseText(folder, architecture, date), to: release)
    try await signer.clearsign(release, to: folder.appending("InRelease"))
    try await signer.detachedSignature(of: release, to: folder.appending("Release.gpg"))
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
  private func releaseText(_ folder: FilePath, _ architecture: Architecture, _ date: String) throws -> String
  {
    let suite = target.codename ?? target.name
    var text = TextTemplate(PackageResources.Release).filled([
      "suite": suite, "version": target.version, "date": date, "architecture": architecture.rawValue,
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

  /// A time as RFC 2822 writes it, in UTC.
  ///
  /// It is that of the package lists: two machines that choose the same packages of the same lists make the same
  /// `Release`, and a newer bundle has a later date, which apt wants.
  static func date(_ seconds: Int64) -> String {
    var now = time_t(seconds)
    var parts = tm()
    gmtime_r(&now, &parts)
    var buffer = [CChar](repeating: 0, count: 64)
    // The names of days and months are English unless a program asks for another locale, which ours does not.
    let count = strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S UTC", &parts)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The seconds since 1970 of such a date; `nil` for other texts.
  static func seconds(_ date: Substring) -> Int64? {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard let match = date.firstMatch(of: /(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{1,2}):(\d{2}):(\d{2})/),
      let month = months.firstIndex(of: String(match.2)), let day = Int32(match.1), let year = Int32(match.3),
      let hour = Int32(match.4), let minute = Int32(match.5), let second = Int32(match.6), year >= 1970
    else { return nil }
    var parts = tm()
    (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, Int32(month), day)
    (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
    return Int64(timegm(&parts))
  }
}
