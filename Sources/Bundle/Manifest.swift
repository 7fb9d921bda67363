import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// `bundle.json`: everything that is in a bundle, and how each file was proved. Written last: a tree without it
/// is an unfinished bundle.
public struct Manifest: Sendable, Codable, Equatable {
  /// The manifest's name in `outputs/`.
  public static let fileName = "bundle.json"
  /// The name that the last manifest has while a run changes the tree under it.
  public static let unfinishedFileName = "bundle.json.unfinished"
  /// The format that this program writes.
  public static let currentFormat = 1

  /// The number of the format.
  public var format = Manifest.currentFormat
  /// The program that wrote it, with its version.
  public var tool: String
  /// When it was written (ISO 8601, UTC).
  public var created: String
  /// The kubespray version that the bundle is for.
  public var kubespray: String
  /// The architecture of the binaries; of several, the main one.
  public var architecture: String
  /// The platforms of the machines that the bundle is for, `linux/amd64`, the main one first.
  public var platforms: [String]
  /// The stages that are complete in it.
  public var stages: [StageName]
  /// Every file but the manifest itself, in order of paths.
  public var files: [ManifestFile]
  /// Whether a deployment from it needs nothing else; `nil` when nobody has looked.
  public var proof: ClosureProof?

  /// A manifest.
  ///
  /// - Parameter platforms: Empty means Linux on the architecture alone.
  public init(
    tool: String, created: String, kubespray: String, architecture: String, platforms: [String] = [],
    stages: [StageName], files: [ManifestFile]
  ) {
    self.tool = tool
    self.created = created
    self.kubespray = kubespray
    self.architecture = architecture
    self.platforms = platforms.isEmpty ? ["linux/\(architecture)"] : platforms
    self.stages = stages
    self.files = files.sorted { $0.path < $1.path }
  }

  /// Decodes; older manifests have one architecture and no platforms.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let format = try container.decode(Int.self, forKey: .format)
    self.init(
      tool: try container.decode(String.self, forKey: .tool),
      created: try container.decode(String.self, forKey: .created),
      kubespray: try container.decode(String.self, forKey: .kubespray),
      architecture: try container.decode(String.self, forKey: .architecture),
      platforms: try container.decodeIfPresent([String].self, forKey: .platforms) ?? [],
      stages: try container.decode([StageName].self, forKey: .stages),
      files: try container.decode([ManifestFile].self, forKey: .files))
    self.format = format
    proof = try container.decodeIfPresent(ClosureProof.self, forKey: .proof)
  }

  /// The sum of all sizes, in bytes.
  public var totalSize: Int64 { files.byteSum(of: \.size) }

  /// Reads a manifest.
  ///
  /// - Returns: `nil` when there is none of that name.
  /// - Throws: ``ManifestError`` when it cannot be read or understood.
  public static func load(from outputs: FilePath, named name: String = fileName) throws(ManifestError)
    -> Manifest?
  {
    let path = outputs.appending(name)
    let bytes: [UInt8]
    do {
      guard let read = try readBytes(ifPresent: path) else { return nil }
      bytes = read
    } catch {
      throw ManifestError(path: path, reason: "it cannot be read: \(FileError.reason(error))")
    }
    let decoder = JSONDecoder()
    // The format first: what else another format has is not for this program to say.
    if let other = try? decoder.decode(Format.self, from: Data(bytes)).format, other != currentFormat {
      throw ManifestError(
        path: path,
        reason: "it has format \(other), and this program knows \(currentFormat)", kind: .otherFormat)
    }
    do {
      return try decoder.decode(Manifest.self, from: Data(bytes))
    } catch {
      throw ManifestError(
        path: path,
        reason: "it is not a bundle manifest (\(Self.detail(error)))", kind: .malformed)
    }
  }

  private struct Format: Decodable {
    let format: Int
  }

  private static func detail(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, let context): "\"\(key.stringValue)\" is missing\(place(context))"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "a value of another kind was expected\(place(context))"
    case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
      "\(context.debugDescription)\(place(context))"
    case is DecodingError: "it is not JSON"
    default: "\(error)"
    }
  }

  private static func place(_ context: DecodingError.Context) -> String {
    let keys = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
    return keys.isEmpty ? "" : " at \(keys.joined(separator: "."))"
  }

  /// Writes the manifest beside its name and renames it.
  ///
  /// - Throws: ``ManifestError``.
  public func save(to outputs: FilePath) throws(ManifestError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let path = outputs.appending(Self.fileName)
    do {
      try writeAtomically(Array(try encoder.encode(self)) + [UInt8(ascii: "\n")], to: path)
    } catch {
      throw ManifestError(path: path, reason: "it cannot be written: \(FileError.reason(error))")
    }
  }
}

/// One file of a bundle.
public struct ManifestFile: Sendable, Codable, Equatable {
  /// Its place in `outputs/`.
  public var path: BundlePath
  /// Its size in bytes.
  public var size: Int64
  /// Its digest.
  public var sha256: Digest
  /// Where it came from, for what came over the network.
  public var url: String?
  /// The stage that brought it.
  public var stage: StageName
  /// Who vouches for it.
  public var verification: Verification
  /// What is in it, for the archive of an image.
  public var image: ManifestImage?

  /// A file.
  public init(
    path: BundlePath, size: Int64, sha256: Digest, url: String?, stage: StageName, verification: Verification
  ) {
    self.path = path
    self.size = size
    self.sha256 = sha256
    self.url = url
    self.stage = stage
    self.verification = verification
  }
}

/// The image in an archive.
public struct ManifestImage: Sendable, Codable, Equatable {
  /// The full reference.
  public var reference: ImageReference
  /// The digest of the manifest, or of the index of several, in the archive.
  public var digest: Digest
  /// The platforms, as `OS/ARCHITECTURE[/VARIANT]`.
  public var platforms: [String]
  /// The platforms that were asked for too, and that the registry does not have; absent when it has all.
  public var lacking: [String]?
  /// How many layers all manifests have together.
  public var layers: Int

  /// An image.
  public init(reference: ImageReference, digest: Digest, platforms: [String], layers: Int) {
    self.reference = reference
    self.digest = digest
    self.platforms = platforms
    self.layers = layers
  }
}

/// A manifest that cannot be used.
public struct ManifestError: Error, CustomStringConvertible {
  /// What went wrong.
  public enum Kind: Sendable {
    /// It cannot be read or written.
    case inaccessible
    /// Another version of this program wrote it.
    case otherFormat
    /// It is not a manifest.
    case malformed
  }

  /// What went wrong, for callers that branch on it.
  public let kind: Kind
  /// The file.
  public let path: FilePath
  /// What is wrong.
  public let reason: String

  init(path: FilePath, reason: String, kind: Kind = .inaccessible) {
    self.kind = kind
    self.path = path
    self.reason = reason
  }

  /// The file and what is wrong with it.
  public var description: String { "\(path): \(reason)" }
}
