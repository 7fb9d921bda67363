import Bundle
import Cache
import Files
import Host
import SystemPackage
import Transfer

/// Fetches the kubespray tarball into the cache, once.
struct KubesprayDownload: Sendable {
  /// A tarball, which nobody changes as long as this is there.
  struct File: Sendable {
    let path: FilePath
    /// Held for a file that the server may change.
    let place: Workplace?
  }

  private static let fileName = "file"
  private static let validatorName = "validator"

  let downloads: Downloads
  let cache: Cache
  let events: StageEvents
  /// Whether what is here counts as the newest.
  var isOffline = false

  /// Forgets a file that turned out not to be what it should.
  func discard(_ url: String) {
    cache.discard(.downloads, name(url))
    // The place of a file that may change is still held: its content goes.
    let folder = cache.folder(of: .downloads).appending(name(url))
    for name in [Self.fileName, Self.validatorName] { try? removeFile(folder.appending(name)) }
  }

  /// The file that was fetched from a URL, in this run or an earlier one.
  ///
  /// - Parameter isMutable: Whether the server is to be asked for a newer one.
  /// - Throws: `TransferError`, `FileError` or `Errno`.
  func file(_ url: String, isMutable: Bool) async throws -> File {
    guard isMutable else {
      let folder = try await cache.entry(.downloads, name(url)) { folder in
        _ = try await fetch(url, to: folder.appending(Self.fileName), validator: nil)
      }
      return File(path: folder.appending(Self.fileName), place: nil)
    }
    let place = try await cache.workplace(.downloads, name(url))
    try createDirectories(place.path)
    let (file, note) = (place.path.appending(Self.fileName), place.path.appending(Self.validatorName))
    let isThere = FileInfo(regularFile: file) != nil
    if isOffline, isThere { return File(path: file, place: place) }
    let known = isThere ? try readText(ifPresent: note) : nil
    if let receipt = try await fetch(url, to: file, validator: known) {
      try writeAtomically(receipt.validator ?? "", to: note)
    }
    return File(path: file, place: place)
  }

  private func name(_ url: String) -> String { "\(CacheKey(["url": url]))" }

  private func fetch(_ url: String, to file: FilePath, validator: String?) async throws -> DownloadReceipt? {
    events.begin("fetching \(hidingCredentials(url))")
    let known = validator.flatMap { $0.isEmpty ? nil : $0 }
    return try await downloads.bring(url, to: file, knownValidator: known, for: events.stage)
  }
}
