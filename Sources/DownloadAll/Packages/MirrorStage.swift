import Bundle
import Concurrency
import Console
import Files
import FoundationEssentials
import Glibc
import Host
import Integrity
import Mirrors
import Settings
import SystemPackage
import Transfer

/// Wants every file of one or more package mirrors, and then the index over each.
struct MirrorStage: Stage {
  let name: StageName
  let needs: [StageName]
  /// The mirrors, side by side; making them is cheap, resolving them is not.
  let mirrors: @Sendable (RunContext) async throws -> [any Mirror]

  func artifacts(_ run: RunContext) async throws -> [Artifact] {
    let mirrors = try await ownMirrors(run)
    var plans: [BundlePath: [Artifact]] = [:]
    var problems: [Problem] = []
    await forEachConcurrently(mirrors, limit: mirrors.count) { mirror in
      await Result { try await artifacts(of: mirror, run) }
    } onResult: { mirror, result in
      switch result {
      case .success(let artifacts): plans[mirror.folder] = artifacts
      case .failure(let error):
        problems += Problem.all(error, about: name.rawValue).map { told($0, of: mirror) }
      }
    }
    try Task.checkCancellation()
    guard problems.isEmpty else { throw Problems(problems.sorted { $0.description < $1.description }) }
    return mirrors.flatMap { plans[$0.folder] ?? [] }
  }

  func madeArtifacts(_ run: RunContext) async throws -> [Artifact] {
    var artifacts: [Artifact] = []
    for mirror in try await ownMirrors(run) {
      var resolved = try await resolved(mirror, run)
      try resolved.leaveOut { file in
        guard file.isOptional else { return false }
        return FileInfo(regularFile: run.place(try BundlePath("\(mirror.folder)/\(file.path)"))) == nil
      }
      let seal = try run.configuration.packages.signingKey.map(Self.identity) ?? ""
      let index = MirrorIndex(mirror: mirror, resolved: resolved, seal: seal, cache: run.configuration.cache)
      let folder = try await index.make(of: run.place(mirror.folder))
      for file in try await offload({ () throws in try BundleTree.files(below: folder) }) {
        artifacts.append(
          Artifact(
            path: try BundlePath("\(mirror.folder)/\(file)"),
            source: .local(folder.appending(file), origin: nil),
            stage: name, verification: .generated))
      }
    }
    return artifacts
  }

  func failed(_ artifact: Artifact, _ error: any Error, _ run: RunContext) -> String? {
    guard let error = error as? TransferError else { return nil }
    switch error.kind {
    case .status(404), .status(410), .digestMismatch, .sizeMismatch: break
    default: return nil
    }
    // Repositories remove what they have replaced.
    for folder in artifact.path.foldersAbove { run.resolutions.forget(folder) }
    return "The repository may have changed since it was asked; the same command asks it again."
  }

  private func ownMirrors(_ run: RunContext) async throws -> [any Mirror] {
    try await run.resolutions.mirrors(of: name) { try await mirrors(run) }
  }

  private func resolved(_ mirror: any Mirror, _ run: RunContext) async throws -> ResolutionMemory.Resolved {
    try await run.resolutions.resolved(mirror) { run.say(.info, told($0, of: mirror), stage: name) }
  }

  private func artifacts(of mirror: any Mirror, _ run: RunContext) async throws -> [Artifact] {
    let resolved = try await resolved(mirror, run)
    let files = resolved.resolution.files
    let bytes = files.reduce(0) { $0 + ($1.size ?? 0) }
    let date = Date(timeIntervalSince1970: TimeInterval(resolved.time)).formatted(.iso8601)
    run.say(
      .info,
      told("\(files.count) packages, \(ByteCount.format(bytes))", of: mirror)
        + (resolved.isRemembered ? ", as resolved at \(date); --refresh asks again" : ""), stage: name)
    for warning in resolved.resolution.warnings {
      run.say(.warning, told(warning, of: mirror), stage: name)
    }
    return try files.map { try artifact($0, in: mirror.folder, run) }
  }

  /// With the mirror's name, where the stage may have several.
  private func told(_ text: String, of mirror: any Mirror) -> String {
    mirror.folder.description == name.rawValue ? text : "\(mirror.folder): \(text)"
  }

  private func told(_ problem: Problem, of mirror: any Mirror) -> Problem {
    var problem = problem
    problem.detail = told(problem.detail, of: mirror)
    return problem
  }

  private func artifact(
    _ file: MirrorResolution.File, in folder: BundlePath, _ run: RunContext
  ) throws -> Artifact {
    let path = try BundlePath("\(folder)/\(file.path)")
    if let local = Self.localPath(file.url) {
      return Artifact(
        path: path, source: .local(local, origin: nil), stage: name, digest: file.digest,
        verification: file.digest == nil ? .local : .repositoryMetadata, size: file.size)
    }
    var artifact = Artifact(
      path: path, source: .url(file.url), stage: name, digest: file.digest,
      verification: file.digest == nil ? run.remote.verification(of: file.url) : .repositoryMetadata,
      size: file.size)
    artifact.isOptional = file.isOptional
    return artifact
  }

  /// The path of a `file:` URL (RFC 8089, section 2).
  static func localPath(_ url: String) -> FilePath? {
    guard url.lowercased().hasPrefix("file:") else { return nil }
    var rest = url.dropFirst("file:".count)
    if rest.hasPrefix("//") { rest = rest.dropFirst(2).drop { $0 != "/" } }
    guard rest.hasPrefix("/") else { return nil }
    return percentDecoded(rest).map { FilePath($0) }
  }

  /// What tells a signing key from another: the content of its file, or its id.
  private static func identity(ofKey key: String) throws -> String {
    access(key, F_OK) == 0 ? try Digest(ofFile: FilePath(key)).hex : key
  }
}

extension BundlePath {
  /// The folders that the file lies in.
  fileprivate var foldersAbove: [BundlePath] {
    let segments = description.split(separator: "/")
    return segments.indices.dropFirst().compactMap { try? BundlePath(segments[..<$0].joined(separator: "/")) }
  }
}
