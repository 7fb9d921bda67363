import Bundle
import Console
import Files
import Integrity
import Settings
import SystemPackage
import Transfer

/// A list of URLs in a file, each with an optional digest.
public struct URLList: Sendable {
  private let artifacts: [Artifact]

  /// Reads the list.
  ///
  /// - Throws: ``URLListError`` naming file and line, `FileError`, or `TextEncodingError`.
  public init(_ path: FilePath, isFlat: Bool) throws {
    var plan = ArtifactPlan()
    for line in try TypedText(reading: path).lines {
      let words = line.words
      guard let url = words.first else { continue }
      do {
        if words.dropFirst().contains(where: { $0.contains("://") }) { throw SeveralURLs() }
        guard words.count <= 2 else { throw TrailingText(text: words[2...].joined(separator: " ")) }
        try plan.add(try Self.artifact(url, digest: words.count > 1 ? words[1] : nil, isFlat: isFlat))
      } catch let collision as ArtifactCollision {
        throw URLListError(
          place: "\(path):\(line.number)",
          reason: "\(collision)", remedy: isFlat ? .withoutFlat : .oneAlone)
      } catch {
        throw URLListError(place: "\(path):\(line.number)", reason: "\(error)")
      }
    }
    artifacts = plan.artifacts
  }

  /// Fetches the list into the folder that the configuration calls outputs.
  ///
  /// - Throws: ``URLListError`` when that folder is a bundle; `FileLockError`; ``UnusableFolder``; what keeps a run from
  ///   starting; `CancellationError`.
  public func fetch(
    _ configuration: Configuration, environment: [String: String],
    emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) async throws -> StageReport {
    // A list has digests of its own, and is no bundle.
    var configuration = configuration
    configuration.locked = false
    let job = Job(configuration, selection: [.files], projectRoot: ".")
    let tools = try RunTools(job, environment: environment, emit: emit)
    guard tools.previous.manifest == nil else {
      throw URLListError(
        place: configuration.outputs.string,
        reason: "it is a bundle, to which only stages add", remedy: .otherFolder)
    }
    let lock = try RunLock.take(job)
    defer { withExtendedLifetime(lock) {} }
    let row = StageTable.Row(name: .files, needs: [], stage: ListStage(list: artifacts))
    let report = await StageRunner([row], tools.fetcher(job), tools.lock, emit: emit).run(.files)
    try Task.checkCancellation()
    return report
  }

  private static func artifact(_ url: String, digest: String?, isFlat: Bool) throws -> Artifact {
    let place = try TransferURL(url).placeOnDisk()
    let name = isFlat ? place.split(separator: "/").last.map(String.init) ?? place : place
    return Artifact(
      path: try BundlePath(name), source: .url(url), stage: .files, digest: try digest.map(Self.digest),
      verification: digest == nil ? Verification(withoutChecksum: url) : .givenChecksum)
  }
}

extension URLList {
  fileprivate static func digest(_ text: String) throws -> Digest {
    do {
      return try Digest(text)
    } catch {
      throw NoDigest(reason: "\(error)")
    }
  }
}

/// Wants what a list says.
private struct ListStage: Stage {
  let list: [Artifact]

  func artifacts() async throws -> [Artifact] { list }
}

extension TransferURL {
  /// `host/path` without scheme, port, query and the escapes of a URL, what `wget -x` makes.
  fileprivate func placeOnDisk() throws(UnreadableEscapes) -> String {
    let rest = redacted.split(separator: "://", maxSplits: 1).last ?? ""
    let path = rest.unicodeScalars.prefix { $0 != "?" && $0 != "#" }
    guard let slash = path.firstIndex(of: "/") else { return origin.host }
    guard let decoded = percentDecoded(String(path[slash...])) else { throw UnreadableEscapes() }
    // A base that ends with a slash gives two of them, which web servers take for one.
    let names = decoded.split(separator: "/").joined(separator: "/")
    // A host may be an IPv6 address, whose colons FAT cannot keep.
    return origin.host.replacing(":", with: "-") + "/" + names + (decoded.hasSuffix("/") ? "/" : "")
  }
}

private struct UnreadableEscapes: Error, CustomStringConvertible {
  var description: String { "the URL has escapes (%) that no text in UTF-8 is behind" }
}

private struct SeveralURLs: Error, CustomStringConvertible {
  var description: String { "a line has one URL; write each into a line of its own" }
}

private struct NoDigest: Error, CustomStringConvertible {
  let reason: String

  var description: String { "\(reason); a blank in a URL is written %20" }
}

private struct TrailingText: Error, CustomStringConvertible {
  let text: String

  var description: String { "a line has a URL and at most a digest; \"\(text)\" is neither" }
}

/// A list that cannot be used.
public struct URLListError: Error, CustomStringConvertible {
  /// The file and line.
  public let place: String
  /// What is wrong.
  public let reason: String
  let remedy: Remedy?

  /// What helps.
  enum Remedy {
    case oneAlone
    case withoutFlat
    case otherFolder
  }

  init(place: String, reason: String, remedy: Remedy? = nil) {
    self.place = place
    self.reason = reason
    self.remedy = remedy
  }

  /// The place and what is wrong there.
  public var description: String { "\(place): \(reason)" }
}
