import Bundle
import Files
import Host
import Integrity
import SystemPackage
import Transfer

/// Fetches the kubespray tarball into the cache, once.
struct KubesprayDownload: Sendable {
  let downloads: Downloads
  let verified: VerifiedFiles
  let folder: FilePath
  let events: StageEvents

  /// Forgets a file that turned out not to be what it should.
  func discard(_ file: FilePath) {
    try? removeFile(file)
    verified.forget(file)
  }

  /// The file that was fetched from a URL, in this run or an earlier one.
  ///
  /// - Parameter isMutable: Whether the server is to be asked for a newer one.
  /// - Throws: `TransferError` or `Errno`.
  func file(_ url: String, isMutable: Bool) async throws -> FilePath {
    let place = folder.appending("\(Digest(of: Array(url.utf8)).hex.prefix(16)).tar.gz")
    let entry = verified.entry(for: place)
    if entry != nil, !isMutable { return place }
    try createDirectories(folder)
    events.begin("fetching \(hidingCredentials(url))")
    let receipt = try await downloads.bring(
      url, to: place, knownValidator: entry?.validator, for: events.stage)
    if let receipt {
      verified.record(
        place, stage: events.stage, sha256: receipt.sha256, url: hidingCredentials(url),
        validator: receipt.validator)
    }
    return place
  }
}
