import Integrity
import SystemPackage

/// A file that a stage wants in the bundle: where from, where to, and how its bytes can be proved.
public struct Artifact: Sendable, Hashable {
  /// Where the bytes come from.
  public enum Source: Sendable, Hashable {
    /// Over HTTP.
    case url(String)
    /// At that path on this machine: given by the user, or fetched before from the origin named.
    case local(FilePath, origin: String?)
    /// Written by this program.
    case generated([UInt8])
    /// A container image of a registry, packed into an archive.
    case image(ImageReference)
    /// The archive at that path of a container image that was assembled on this machine.
    case assembledImage(FilePath, ImageReference)
  }

  /// The file's place in `outputs/`.
  public var path: BundlePath
  /// Where the bytes come from.
  public var source: Source
  /// The stage that wants it.
  public var stage: StageName
  /// What its bytes must hash to, if anybody published that.
  public var digest: Digest?
  /// Who vouches for the bytes.
  public var verification: Verification
  /// Its size in bytes, where that is published: nobody needs to ask the server then.
  public var size: Int64?
  /// Whether the bundle is complete without it, when its server no longer has it.
  public var isOptional: Bool
  /// What the bundle is not enough for without it, where nothing that was asked for needs it; `nil` for what must be there.
  public var purpose: String?
  /// Whether it is a program to be started by its name, on file systems that keep such rights.
  public var isExecutable: Bool
  /// Where it is asked for, for people: the line of a list.
  public var listing: String?

  /// An artifact.
  public init(
    path: BundlePath, source: Source, stage: StageName, digest: Digest? = nil, verification: Verification,
    size: Int64? = nil, isOptional: Bool = false, isExecutable: Bool = false, listing: String? = nil,
    purpose: String? = nil
  ) {
    self.purpose = purpose
    self.path = path
    self.source = source
    self.stage = stage
    self.digest = digest
    self.verification = verification
    self.size = size
    self.isOptional = isOptional
    self.isExecutable = isExecutable
    self.listing = listing
  }

  /// The URL, for what comes over HTTP.
  public var url: String? {
    if case .url(let url) = source { url } else { nil }
  }

  /// The image, for what is pulled from a registry.
  public var pulledImage: ImageReference? {
    if case .image(let reference) = source { reference } else { nil }
  }

  /// The image, for what was assembled on this machine.
  public var assembledImage: ImageReference? {
    if case .assembledImage(_, let reference) = source { reference } else { nil }
  }
}

/// Artifacts whose places do not collide.
public struct ArtifactPlan: Sendable {
  /// The artifacts, in the order in which they were planned.
  public private(set) var artifacts: [Artifact] = []
  private var byKey: [String: Int] = [:]
  /// The folders that the artifacts lie in, each with one of them.
  private var folders: [String: Int] = [:]

  /// Nothing planned.
  public init() {}

  /// Adds an artifact; the same one twice counts once.
  ///
  /// - Throws: ``ArtifactCollision`` when another artifact has that path or one that differs by case only, or when one would
  ///   have to be a folder for the other.
  public mutating func add(_ artifact: Artifact) throws(ArtifactCollision) {
    let key = artifact.path.caseFolded
    if let index = byKey[key] {
      guard artifacts[index] == artifact else {
        throw ArtifactCollision(first: artifacts[index], second: artifact)
      }
      return
    }
    let above = Self.folders(of: key)
    if let index = folders[key] ?? above.lazy.compactMap({ [byKey] in byKey[$0] }).first {
      throw ArtifactCollision(first: artifacts[index], second: artifact)
    }
    byKey[key] = artifacts.count
    for folder in above { folders[folder] = artifacts.count }
    artifacts.append(artifact)
  }

  private static func folders(of key: String) -> [String] {
    key.indices.filter { key[$0] == "/" }.map { String(key[..<$0]) }
  }

  /// Adds artifacts in order.
  ///
  /// - Throws: ``ArtifactCollision``.
  public mutating func add(_ more: some Sequence<Artifact>) throws(ArtifactCollision) {
    for artifact in more { try add(artifact) }
  }
}

/// Two artifacts for one place.
public struct ArtifactCollision: Error, CustomStringConvertible {
  /// The one that was there.
  public let first: Artifact
  /// The one that wanted the same place.
  public let second: Artifact

  /// A sentence that names both.
  public var description: String {
    "two files want one place in the bundle: \(Self.name(first)) -> \(first.path), "
      + "and \(Self.name(second)) -> \(second.path)"
  }

  private static func name(_ artifact: Artifact) -> String {
    switch artifact.source {
    case .url(let url): maskingSecrets(in: url)
    case .local(let path, _): path.string
    case .generated: "a file of stage \(artifact.stage.rawValue)"
    case .image(let reference), .assembledImage(_, let reference): reference.description
    }
  }
}
