import Bundle
import Cache
import Concurrency
import Files
import Integrity
import Mirrors
import SystemPackage

/// Makes the index over each mirror of a stage, once its files lie in the bundle. The indexes lie in the cache, under
/// a name that says what they were made of.
struct IndexStage: Stage {
  let mirrors: StageMirrors
  let outputs: FilePath
  let cache: Cache
  /// The key that signs the indexes (setting `packages.signing_key`); `nil` where each gets one of its own.
  let signingKey: String?
  /// Where it is noted which indexes are signed.
  let signatures: RepositorySignatures

  func artifacts() async throws -> [Artifact] {
    var artifacts: [Artifact] = []
    let seal = try signingKey.map(Self.identity) ?? ""
    for mirror in try await mirrors.all() {
      let content = outputs.appending(mirror.folder.description)
      var resolved = try await mirrors.resolved(mirror)
      try resolved.leaveOut { file in
        file.isOptional && FileInfo(regularFile: content.appending(file.path)) == nil
      }
      mirrors.events.show("makes the index of \(mirror.folder)")
      let index = MirrorIndex(mirror: mirror, resolved: resolved, seal: seal, cache: cache)
      let made = try await index.make(of: content)
      if let signer = made.signer { signatures.note(mirror.folder, signedBy: signer) }
      let files = try await offload { () throws in try BundleTree.files(below: made.folder) }
      for file in files {
        artifacts.append(
          Artifact(
            path: try BundlePath("\(mirror.folder)/\(file)"),
            source: .local(made.folder.appending(file), origin: nil), stage: mirrors.events.stage,
            verification: .generated))
      }
    }
    return artifacts
  }

  /// What tells a signing key from another: the content of its file, or its id.
  private static func identity(ofKey key: String) throws -> String {
    fileExists(FilePath(key)) ? try Digest(ofFile: FilePath(key)).hex : key
  }
}
