import Bundle
import Concurrency
import Console
import Files
import FoundationEssentials
import Integrity
import Mirrors
import Settings
import SystemPackage
import Transfer

/// Wants every file of one or more package mirrors.
struct MirrorStage: Stage {
  let mirrors: StageMirrors
  let remote: RemoteFiles
  /// What can be fetched before the mirrors are known.
  var preparation: @Sendable () async -> Void = {}

  private var events: StageEvents { mirrors.events }

  func prepare() async { await preparation() }

  func artifacts() async throws -> [Artifact] {
    let mirrors = try await mirrors.all()
    var plans: [BundlePath: [Artifact]] = [:]
    var problems: [Problem] = []
    await forEachConcurrently(mirrors, limit: mirrors.count) { mirror in
      await Result { try await artifacts(of: mirror) }
    } onResult: { mirror, result in
      switch result {
      case .success(let artifacts): plans[mirror.folder] = artifacts
      case .failure(let error):
        problems += Problem.all(error, about: events.stage.rawValue).map { problem in
          var problem = problem
          problem.detail = self.mirrors.naming(mirror, in: problem.detail)
          return problem
        }
      }
    }
    try Task.checkCancellation()
    guard problems.isEmpty else { throw Problems(problems.sorted { $0.description < $1.description }) }
    return mirrors.flatMap { plans[$0.folder] ?? [] }
  }

  func advice(on error: any Error, for artifact: Artifact) -> String? {
    guard let error = error as? TransferError, !mirrors.memory.isLocked else { return nil }
    switch error.kind {
    case .status(404), .status(410), .digestMismatch, .sizeMismatch: break
    default: return nil
    }
    // Repositories remove what they have replaced.
    for folder in artifact.path.foldersAbove { mirrors.memory.forget(folder) }
    return "The repository may have changed since it was asked; the same command asks it again."
  }

  private func artifacts(of mirror: any Mirror) async throws -> [Artifact] {
    let resolved = try await mirrors.resolved(mirror)
    let files = resolved.resolution.files
    let bytes = files.byteSum { $0.size ?? 0 }
    let date = Date(timeIntervalSince1970: TimeInterval(resolved.time)).formatted(.iso8601)
    events.say(
      .info,
      mirrors.naming(mirror, in: "\(counted(files.count, "package")), \(ByteCount.format(bytes))")
        + (resolved.isLocked
          ? ", as the lock says"
          : resolved.isRemembered ? ", as resolved at \(date); --refresh asks again" : ""))
    for warning in resolved.resolution.warnings {
      events.say(.warning, mirrors.naming(mirror, in: warning))
    }
    return try files.map { try artifact($0, at: mirror.address(of: $0), in: mirror.folder) }
  }

  private func artifact(
    _ file: MirrorResolution.File, at address: String, in folder: BundlePath
  ) throws -> Artifact {
    let path = try BundlePath("\(folder)/\(file.path)")
    let listed = Verification(.repository, over: file.isUnsigned == true ? .open : .proved)
    if let local = Self.localPath(file.url) {
      return Artifact(
        path: path, source: .local(local, origin: nil), stage: events.stage, digest: file.digest,
        verification: file.digest == nil ? .local : listed, size: file.size)
    }
    return Artifact(
      path: path, source: .url(address), stage: events.stage, digest: file.digest,
      verification: file.digest == nil ? remote.verification(of: file.url) : listed,
      size: file.size, isOptional: file.isOptional)
  }

  /// The path of a `file:` URL (RFC 8089, section 2).
  static func localPath(_ url: String) -> FilePath? {
    guard url.lowercased().hasPrefix("file:") else { return nil }
    var rest = url.dropFirst("file:".count)
    if rest.hasPrefix("//") { rest = rest.dropFirst(2).drop { $0 != "/" } }
    guard rest.hasPrefix("/") else { return nil }
    return percentDecoded(rest).map { FilePath($0) }
  }
}

extension BundlePath {
  /// The folders that the file lies in.
  fileprivate var foldersAbove: [BundlePath] {
    let segments = description.split(separator: "/")
    return segments.indices.dropFirst().compactMap { try? BundlePath(segments[..<$0].joined(separator: "/")) }
  }
}
