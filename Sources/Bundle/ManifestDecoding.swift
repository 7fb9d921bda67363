import Files
import FoundationEssentials
import Integrity
import SystemPackage

extension Manifest {
  /// The most bytes that are read of a manifest: room for more than half a million files.
  public static let largestFile = 256 << 20
  /// The most bytes that a bundle may have, 1 EiB: no sum of sizes that was decoded comes near what a number holds.
  static let largestBundle: Int64 = 1 << 60
  /// The largest sequence: integers up to here are exact in every reader of JSON.
  static let largestSequence: Int64 = 1 << 53 - 1
  /// How deep objects and arrays may lie in each other; a manifest needs half of it.
  private static let depth = 12

  /// Reads a manifest.
  ///
  /// - Returns: `nil` when there is none of that name.
  /// - Throws: ``ManifestError`` when it cannot be read or understood.
  public static func load(from outputs: FilePath, named name: String = fileName) throws(ManifestError)
    -> Manifest?
  {
    let path = outputs.appending(name)
    func read() throws(ManifestError) -> [UInt8]? {
      do {
        return try readBytes(ifPresent: path, limit: largestFile)
      } catch {
        throw ManifestError(path: path, reason: "it cannot be read: \(FileError.reason(error))")
      }
    }
    guard var bytes = try read() else { return nil }
    if (try? JSONSyntax.check(bytes, depth: depth)) != nil, let manifest = quickly(taking: &bytes) {
      return manifest
    }
    // What the text says that was let go of is not needed: it is the decoder's turn, or has to be said what is wrong.
    guard let again = try read() else { return nil }
    return try Manifest(decoding: again, from: path)
  }

  /// Decodes the bytes of a manifest: those that were verified, where that matters.
  ///
  /// What two readers could understand differently is refused, such as a key that is there twice; so are paths that
  /// would be one file on some file system, and numbers that no bundle has. Nothing is read from `path`: errors name it.
  ///
  /// - Throws: ``ManifestError``.
  public init(decoding bytes: [UInt8], from path: FilePath = FilePath(fileName)) throws(ManifestError) {
    do {
      try JSONSyntax.check(bytes, depth: Self.depth)
      self = try Self.quickly(bytes) ?? Self.decoded(bytes, path)
    } catch let error as ManifestError {
      throw error
    } catch {
      throw ManifestError(
        path: path, reason: "it is not a bundle manifest (\(Self.detail(error)))", kind: .malformed)
    }
  }

  /// Decodes without an object for each value of the text.
  ///
  /// - Parameter bytes: What ``JSONSyntax`` has found right.
  /// - Returns: `nil` where that does not succeed: ``decoded(_:_:)`` then does, or says why not.
  static func quickly(_ bytes: [UInt8]) -> Manifest? { made(of: ManifestEntries.read(bytes)) }

  /// Decodes as ``quickly(_:)``, and lets go of the text on the way.
  private static func quickly(taking bytes: inout [UInt8]) -> Manifest? {
    made(of: ManifestEntries.read(taking: &bytes))
  }

  private static func made(of parts: (files: [ManifestFile], rest: [UInt8])?) -> Manifest? {
    guard let (files, rest) = parts,
      var manifest = try? JSONDecoder().decode(Manifest.self, from: Data(rest)),
      knownFormats.contains(manifest.format)
    else { return nil }
    manifest.files = sorted(files)
    return (try? ManifestPlaces.check(manifest.files)) == nil ? nil : manifest
  }

  /// Decodes by Foundation's decoder alone.
  ///
  /// - Parameter bytes: What ``JSONSyntax`` has found right.
  /// - Throws: ``ManifestError``, `DecodingError`, or what a value throws.
  static func decoded(_ bytes: [UInt8], _ path: FilePath) throws -> Manifest {
    let decoder = JSONDecoder()
    // The format first: what else another format has is not for this program to say.
    let format = try decoder.decode(Format.self, from: Data(bytes)).format
    guard knownFormats.contains(format) else {
      throw ManifestError(
        path: path, reason: "it has format \(format), and this program knows 1 and \(currentFormat)",
        kind: .otherFormat)
    }
    return try decoder.decode(Manifest.self, from: Data(bytes))
  }

  /// Decodes and checks; older manifests have one architecture and no platforms.
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
    if format > 1 {
      id = try container.decode(String.self, forKey: .id)
      sequence = try container.decode(Int64.self, forKey: .sequence)
      toolDigest = try container.decodeIfPresent(Digest.self, forKey: .toolDigest)
      expires = try container.decodeIfPresent(String.self, forKey: .expires)
      source = try container.decodeIfPresent(ManifestSource.self, forKey: .source)
      signedRepositories = try container.decode([String: String].self, forKey: .signedRepositories)
      try checkStatement()
    }
    try ManifestPlaces.check(files)
  }

  /// Encodes; what format 1 does not have is left out of it.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(format, forKey: .format)
    try container.encodeIfPresent(id, forKey: .id)
    try container.encodeIfPresent(sequence, forKey: .sequence)
    try container.encode(tool, forKey: .tool)
    try container.encodeIfPresent(toolDigest, forKey: .toolDigest)
    try container.encode(created, forKey: .created)
    try container.encodeIfPresent(expires, forKey: .expires)
    try container.encode(kubespray, forKey: .kubespray)
    try container.encodeIfPresent(source, forKey: .source)
    try container.encode(architecture, forKey: .architecture)
    try container.encode(platforms, forKey: .platforms)
    try container.encode(stages, forKey: .stages)
    if format > 1 { try container.encode(signedRepositories, forKey: .signedRepositories) }
    try container.encode(files, forKey: .files)
    try container.encodeIfPresent(proof, forKey: .proof)
  }

  /// What format 2 says of itself.
  private func checkStatement() throws(ManifestFault) {
    let hex = "0123456789abcdef".utf8
    guard let id, id.utf8.count == 32, id.utf8.allSatisfy(hex.contains) else {
      throw ManifestFault("its id is not 32 hexadecimal digits")
    }
    guard let sequence, (0...Self.largestSequence).contains(sequence) else {
      throw ManifestFault("its sequence is not between 0 and \(Self.largestSequence)")
    }
    if let expires, ManifestTime.seconds(expires) == nil {
      throw ManifestFault("\"\(expires)\" is not a time at which it could expire")
    }
    for (folder, fingerprint) in signedRepositories {
      guard (try? BundlePath(folder)) != nil else {
        throw ManifestFault("\"\(folder)\" cannot be the folder of a repository")
      }
      // OpenPGP: version 4 has 20 bytes (RFC 9580, section 5.5.4.2), version 6 has 32 (5.5.4.3).
      guard [40, 64].contains(fingerprint.utf8.count), fingerprint.lowercased().utf8.allSatisfy(hex.contains)
      else { throw ManifestFault("\"\(fingerprint)\" is not the fingerprint of an OpenPGP key") }
    }
  }

  private enum CodingKeys: String, CodingKey {
    case format, id, sequence, tool, toolDigest, created, expires, kubespray, source, architecture, platforms
    case stages, signedRepositories, files, proof
  }

  private struct Format: Decodable {
    let format: Int
  }

  private static func detail(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, let context): "\"\(key.stringValue)\" is missing\(place(context))"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "a value of another kind was expected\(place(context))"
    // Its syntax was checked before: what is left are numbers out of range and halves of UTF-16 pairs.
    case DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty:
      "a number or a text in it cannot be read"
    case DecodingError.dataCorrupted(let context): "\(context.debugDescription)\(place(context))"
    default: "\(error)"
    }
  }

  private static func place(_ context: DecodingError.Context) -> String {
    let keys = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
    return keys.isEmpty ? "" : " at \(keys.joined(separator: "."))"
  }
}

/// Something that no manifest says.
struct ManifestFault: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
