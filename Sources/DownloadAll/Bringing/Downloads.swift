import Bundle
import Integrity
import SystemPackage
import Transfer

/// The one way by which files come over HTTP, into the bundle or into the cache: mirrors are applied, and people see
/// the progress.
struct Downloads: Sendable {
  let engine: TransferEngine
  let remote: RemoteFiles
  let progress: TransferProgress

  /// Brings the file of a URL to a place in a folder that exists.
  ///
  /// - Parameters:
  ///   - announcedSize: The size in bytes that was told before, if any.
  ///   - knownValidator: A validator of the copy at hand: the server may answer that it has not changed.
  ///   - stage: The stage for which it is.
  /// - Returns: What came; `nil` when the copy at hand is current.
  /// - Throws: `TransferError`.
  func bring(
    _ url: String, to place: FilePath, digest: Digest? = nil, announcedSize: Int64? = nil,
    knownValidator: String? = nil, for stage: StageName
  ) async throws(TransferError) -> DownloadReceipt? {
    var download = Download(url: remote.address(of: url), destination: place, digest: digest)
    download.announcedSize = announcedSize
    download.knownValidator = knownValidator
    switch try await engine.download(download, onEvent: progress.events(of: stage)) {
    case .downloaded(let receipt): return receipt
    case .notModified: return nil
    }
  }
}
