import Bundle
import Integrity
import SystemPackage

/// How images are pushed.
public struct PushConfiguration: Sendable {
  /// How many blobs are under way at once, over all images.
  public var parallel = 6
  /// The registry hosts that images lose in their names; another one becomes the first part.
  public var strippedRegistries = ImageReference.strippedRegistries
  /// Whether a registry on another machine may be asked without TLS. One on this machine always may.
  public var allowsPlainHTTP = false
  /// Whether a registry on this machine is asked over TLS first.
  public var prefersTLS = false
  /// How often an attempt that made no progress is repeated.
  public var retries = 5
  /// The pause before the first retry; later ones double it up to ``maximumBackoff``.
  var backoff: Duration = .milliseconds(500)
  /// The longest pause between two attempts that the registry did not ask for.
  public var maximumBackoff: Duration = .seconds(15)
  /// The longest single pause that a registry may ask for when it limits requests.
  var maximumWait: Duration = .seconds(900)
  /// How long a registry may be busy with what it received.
  public var stallTimeout: Duration = .seconds(300)
  /// The image that an archive must hold, for archives of which that is known; one with another image is refused.
  public var expected: [FilePath: ExpectedImage] = [:]
  /// Whether each archive is proved before anything is sent of it, just now by whoever calls or by ``prove``. Over HTTP its
  /// blobs are then hashed by the registry alone, which has the digest of each; those that it refuses are hashed here, too, so
  /// that the error says who is at fault. What goes into a registry's folder is always hashed.
  public var archivesAreProved = false
  /// Reads all of an archive and throws when it is not as it must be. Called once for each archive of which a blob is to be
  /// sent over HTTP, before the first byte of it; no image gets a name before all of them were proved. It may take long, and
  /// calls its second argument now and then, which throws `CancellationError` when nobody waits any more.
  public var prove: ArchiveProof?
  /// What the image of an archive is called, for archives that do not say it.
  public var names: [FilePath: String] = [:]
  /// Where layers are unpacked that cannot be read out of an archive directly; made when needed, and emptied again.
  public var scratch: FilePath

  /// The defaults above.
  ///
  /// - Parameter scratch: A folder for nothing else.
  public init(scratch: FilePath) { self.scratch = scratch }
}

/// Reads all of an archive and throws when it is not as it must be, see ``PushConfiguration/prove``.
public typealias ArchiveProof = @Sendable (_ archive: FilePath, _ goOn: () throws -> Void) throws -> Void

/// What an archive must hold.
public struct ExpectedImage: Sendable {
  /// The image's full name.
  public let reference: ImageReference
  /// What the name stands for.
  public let digest: Digest
  /// The manifests of its signatures, and of what else is about it.
  public let attached: [Digest]

  /// An image.
  public init(reference: ImageReference, digest: Digest, attached: [Digest] = []) {
    self.reference = reference
    self.digest = digest
    self.attached = attached
  }

  /// What the manifest of a bundle says of an archive.
  public init(_ image: ManifestImage) {
    self.init(
      reference: image.reference, digest: image.digest, attached: (image.attached ?? []).map(\.digest))
  }
}

/// What happens while images are pushed. Called from several threads: be quick.
public enum PushEvent: Sendable {
  /// So many images are to be brought, with so many bytes of blobs (each once); the others are there already.
  case planned(images: Int, bytes: Int64)
  /// So many more bytes went to the registry or into its folder.
  case sent(Int64)
  /// So many planned bytes need not be sent: the registry has them.
  case skipped(Int64)
  /// So many bytes counted as sent are to be sent again.
  case voided(Int64)
  /// An image is done, or has failed.
  case finished(PushResult)
  /// Something worth a line: a pause that the registry asks for, another way that is taken.
  case note(String)
}

/// What became of an image.
public struct PushResult: Sendable {
  /// How it ended.
  public enum Outcome: Sendable, Equatable {
    /// The registry has it now. `replaced` is what the tag stood for before, if that was something else.
    case pushed(replaced: Digest?)
    /// The registry had it already; nothing was sent.
    case present
    /// The registry does not have it under this tag; see ``PushResult/failure``.
    case failed
  }

  /// The archive.
  public let archive: FilePath
  /// The image's full name; `nil` when the archive could not be read.
  public let reference: ImageReference?
  /// Its name in the registry.
  public let destination: String?
  /// What that name stands for.
  public let digest: Digest?
  /// Bytes of blobs and manifests that were sent for it; those it shares count for the image that came first.
  public var bytesSent: Int64 = 0
  /// How it ended.
  public var outcome: Outcome
  /// What else is to be known.
  public var remark: String?

  /// Why it failed; `nil` when it did not.
  public var failure: (any Error)?
}

/// Two images that would get one name.
public struct PushCollision: Error, CustomStringConvertible {
  /// The name in the registry.
  public let destination: String
  /// The images, as reference and archive.
  public let images: [(reference: ImageReference, archive: FilePath)]

  /// A sentence for people.
  public var description: String {
    let named = images.map { "\($0.reference) (\($0.archive))" }.joined(separator: " and ")
    return "\(named) would both become \(destination), and they are different; nothing was pushed"
  }
}
