import Files
import Integrity
import SystemPackage

/// A file to bring to the disk.
public struct Download: Sendable {
  /// Where it is.
  public var url: String
  /// Its final name; the folder must exist. It appears there only when it is complete and verified.
  public var destination: FilePath
  /// Where its bytes go instead, where they are a part of something larger: nothing then appears at ``destination``.
  public var place: (any ContentPlace)?
  /// What its bytes must hash to.
  public var digest: Digest?
  /// How many bytes it must have.
  public var size: Int64?
  /// How many bytes the server said that it has, before it was asked for them. What the digest proves is right even if
  /// the server was wrong.
  public var announcedSize: Int64?
  /// Further header fields; `Authorization` never leaves the origin of ``url``.
  public var fields = HTTPFields()
  /// Asked before each attempt for the fields that prove who asks, which may run out during a long download.
  ///
  /// It gets the head of the answer by which the server itself (not one that it redirects to) refused the last
  /// attempt with 401, else `nil`; that attempt is then repeated once. `nil` for the fields ends the download.
  public var authorize: (@Sendable (_ rejection: ResponseHead?) async -> HTTPFields?)?
  /// A validator of the copy at hand: the server may answer that it has not changed.
  public var knownValidator: String?

  /// Whether the file must survive a power cut once it has its name. Files that are kept only until something is made
  /// of them need not, and then often never reach the disk.
  public var isDurable = true

  /// A download without anything known about its content.
  public init(url: String, destination: FilePath, digest: Digest? = nil, size: Int64? = nil) {
    self.url = url
    self.destination = destination
    self.digest = digest
    self.size = size
  }
}

extension Download {
  /// The bytes at hand of a file that is not yet complete; beside it lies what they are a part of. Its name is made of a
  /// digest, so that a long name has a part too.
  public static func partFile(of destination: FilePath) -> FilePath { incomplete(destination, "part") }

  static func metaFile(of destination: FilePath) -> FilePath { incomplete(destination, "meta") }

  private static func incomplete(_ destination: FilePath, _ kind: String) -> FilePath {
    let name = destination.lastComponent?.string ?? ""
    let digest = Digest(of: Array(name.utf8)).hex
    return IncompleteName.path(beside: destination, kind: kind, name: String(digest.prefix(32)))
  }
}

/// What happens during a download. Delivered on the engine's thread: be quick.
public enum DownloadEvent: Sendable {
  /// Bytes of an earlier run were found good and are kept.
  case resumed(Int64)
  /// New bytes reached the disk.
  case received(Int64)
  /// So many bytes counted before are void: the file starts from the beginning.
  case discarded(Int64)
  /// An attempt failed; the next one follows after the pause.
  case retrying(TransferError, after: Duration)
}

/// What a finished download was.
public struct DownloadReceipt: Sendable {
  /// The file's size in bytes.
  public let size: Int64
  /// The file's digest, computed while it was written.
  public let sha256: Digest
  /// Bytes of body that came over the network, over all attempts.
  public let transferred: Int64
  /// How many requests were made, redirects not counted.
  public let attempts: Int
  /// The entity tag or date by which a later run can ask whether it changed.
  public let validator: String?
}

/// How a download ended well.
public enum DownloadOutcome: Sendable {
  /// The file is at its final name.
  case downloaded(DownloadReceipt)
  /// The server says that the copy at hand is current (304); nothing was written.
  case notModified
}
