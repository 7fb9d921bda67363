import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// `bundle.json`: everything that is in a bundle, and how each file was proved. Written last: a tree without it
/// is an unfinished bundle.
///
/// It is the one statement about a bundle: what signs it signs every file, by the file's digest. Format 1 is that of
/// earlier versions, which nobody signed.
public struct Manifest: Sendable, Codable, Equatable {
  /// The manifest's name in `outputs/`.
  public static let fileName = "bundle.json"
  /// The name that the last manifest has while a run changes the tree under it.
  public static let unfinishedFileName = "bundle.json.unfinished"
  /// The format that this program writes.
  public static let currentFormat = 2
  /// The formats that this program reads.
  public static let knownFormats = 1...currentFormat

  /// The number of the format.
  public var format = Manifest.currentFormat
  /// What tells this closing of a bundle from every other: 32 hexadecimal digits; `nil` in format 1.
  public var id: String?
  /// A number that rises with every closing; `nil` in format 1.
  public var sequence: Int64?
  /// The program that wrote it, with its version.
  public var tool: String
  /// The digest of the program that wrote it; `nil` in format 1.
  public var toolDigest: Digest?
  /// When it was written (ISO 8601, UTC).
  public var created: String
  /// When the statement ends (ISO 8601, UTC); `nil` for never.
  public var expires: String?
  /// The kubespray version that the bundle is for.
  public var kubespray: String
  /// What kubespray was made of; `nil` when no run has noted it.
  public var source: ManifestSource?
  /// The architecture of the binaries; of several, the main one.
  public var architecture: String
  /// The platforms of the machines that the bundle is for, `linux/amd64`, the main one first.
  public var platforms: [String]
  /// The stages that are complete in it.
  public var stages: [StageName]
  /// The repositories whose index must be signed: the folder in the bundle, and the fingerprint of the OpenPGP key.
  public var signedRepositories: [String: String] = [:]
  /// Every file but the manifest itself and its signatures, in order of paths.
  public var files: [ManifestFile]
  /// Whether a deployment from it needs nothing else; `nil` when nobody has looked.
  public var proof: ClosureProof?

  /// A manifest.
  ///
  /// - Parameters:
  ///   - id: See ``newID()``; with `sequence` it makes a manifest of format 2, without one of format 1.
  ///   - sequence: See ``nextSequence(after:at:)``.
  ///   - tool: The program that writes it, with its version.
  ///   - created: The time of writing (ISO 8601, UTC).
  ///   - kubespray: The kubespray version that the bundle is for.
  ///   - architecture: The architecture of the binaries; of several, the main one.
  ///   - platforms: Empty means Linux on the architecture alone.
  ///   - stages: The stages that are complete.
  ///   - files: Every file but the manifest itself and its signatures, in any order.
  public init(
    id: String? = nil, sequence: Int64? = nil, tool: String, created: String, kubespray: String,
    architecture: String, platforms: [String] = [], stages: [StageName], files: [ManifestFile]
  ) {
    self.format = id == nil || sequence == nil ? 1 : Self.currentFormat
    self.id = id
    self.sequence = sequence
    self.tool = tool
    self.created = created
    self.kubespray = kubespray
    self.architecture = architecture
    self.platforms = platforms.isEmpty ? ["linux/\(architecture)"] : platforms
    self.stages = stages
    self.files = Self.sorted(files)
  }

  /// Files in order of paths: mostly they are, and nothing is copied then.
  static func sorted(_ files: [ManifestFile]) -> [ManifestFile] {
    let isSorted = zip(files, files.dropFirst()).allSatisfy { !($1.path < $0.path) }
    return isSorted ? files : files.sorted { $0.path < $1.path }
  }

  /// The sum of all sizes, in bytes; never more than `Int64.max`.
  public var totalSize: Int64 { files.byteSum(of: \.size) }

  /// An id for a new manifest.
  public static func newID() -> String {
    let digits = Array("0123456789abcdef")
    return String((0..<32).compactMap { _ in digits.randomElement() })
  }

  /// The sequence of the manifest that follows another one: it rises, also when the clock was set back.
  ///
  /// - Parameters:
  ///   - previous: The manifest before; `nil` for the first of a bundle.
  ///   - time: Now, in seconds since 1970.
  public static func nextSequence(after previous: Manifest?, at time: Int64) -> Int64 {
    // What was decoded is at most largestSequence, far from overflowing.
    max((previous?.sequence ?? 0) + 1, time)
  }

  /// Whether the statement has ended.
  ///
  /// - Parameter time: Now, in seconds since 1970.
  public func hasExpired(at time: Int64) -> Bool {
    guard let expires else { return false }
    guard let end = ManifestTime.seconds(expires) else { return true }
    return time >= end
  }

  /// The bytes of the manifest's file: what is signed.
  ///
  /// - Throws: An `EncodingError`.
  public func encoded() throws -> [UInt8] {
    var bytes: [UInt8] = []
    try ManifestText(self).forEachPiece { bytes += $0 }
    return bytes
  }

  /// Writes the manifest beside its name and renames it.
  ///
  /// Signatures of another manifest are removed first: after a crash at any moment none lies beside what it does not
  /// sign.
  /// - Throws: ``ManifestError``.
  public func save(to outputs: FilePath) throws(ManifestError) {
    let path = outputs.appending(Self.fileName)
    do {
      let file = try PendingFile(for: path)
      var hasher = DigestHasher(.sha256)
      try ManifestText(self).forEachPiece { piece in
        hasher.update(piece)
        try FileError.naming(.write, path) { _ = try file.descriptor.writeAll(piece) }
      }
      let isSame = (try? Digest(ofFile: path)) == hasher.finalize()
      if !isSame { try Self.removeSignatures(in: outputs) }
      try file.commit()
    } catch {
      throw ManifestError(path: path, reason: "it cannot be written: \(FileError.reason(error))")
    }
  }
}

/// What kubespray was made of.
public struct ManifestSource: Sendable, Codable, Equatable {
  /// The version asked for.
  public var version: String
  /// The URL of the tarball or of the git repository, without credentials; `local` for a folder or file of the user's.
  public var origin: String
  /// The digest of the tarball in the bundle.
  public var sha256: Digest
  /// The id that git gives to the files in it, in its SHA-256 format: it stays when a forge packs the same files again.
  public var tree: Digest?

  /// The origin of what the user had already.
  public static let local = "local"

  /// A source.
  public init(version: String, origin: String, sha256: Digest, tree: Digest? = nil) {
    self.tree = tree
    self.version = version
    self.origin = origin
    self.sha256 = sha256
  }
}

/// Times as they stand in a manifest.
public enum ManifestTime {
  /// The text of a time in UTC, such as `2026-01-31T12:00:00Z`.
  ///
  /// - Parameter seconds: Seconds since 1970.
  public static func text(_ seconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
  }

  /// Seconds since 1970; `nil` for a text that is not such a time.
  public static func seconds(_ text: String) -> Int64? {
    guard let date = try? Date(text, strategy: .iso8601) else { return nil }
    return Int64(exactly: date.timeIntervalSince1970.rounded(.down))
  }
}
