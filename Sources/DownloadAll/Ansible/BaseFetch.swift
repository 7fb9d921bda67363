import Bundle
import Cache
import Concurrency
import Console
import Files
import Host
import Integrity
import Mirrors
import Registry
import Settings
import SystemPackage
import Transfer

/// Brings the base of an image into the cache, where it stays for the next time.
struct BaseFetch: Sendable {
  let client: RegistryClient
  let progress: TransferProgress
  let architecture: Architecture
  /// How many connections there are at a time.
  let parallel: Int
  let cache: Cache

  /// Fetches what is not there yet.
  ///
  /// - Parameter pin: What is fetched in place of what the tag names.
  /// - Returns: The base, the digest that the registry served for it, and the folder of its blobs, named by the
  ///   hexadecimal digits of their digests.
  /// - Throws: `RegistryError`, `ManifestFormatError`, `Errno` or `CancellationError`.
  func fetch(
    _ reference: ImageReference, at pin: Digest?
  ) async throws -> (base: BaseImage, digest: Digest, blobs: FilePath) {
    let resolved = try await ImageResolver(client).resolve(
      reference, platforms: [Platform(architecture: architecture.rawValue)],
      at: pin.map { ImagePin(digest: $0, attached: nil) })
    guard let image = resolved.images.first else { throw Errno.noSuchFileOrDirectory }
    let key = CacheKey(["blobs": image.content.blobs.map { "\($0.digest)" }.joined(separator: " ")])
    let blobs = try await cache.entry(.bases, "\(key)") { blobs in
      var failure: (any Error)?
      await forEachConcurrently(image.content.blobs, limit: parallel) { blob in
        await Result { try await bring(blob, of: reference, to: blobs.appending(blob.digest.hex)) }
      } onResult: { _, result in
        if case .failure(let error) = result { failure = failure ?? error }
      }
      try Task.checkCancellation()
      if let failure { throw failure }
    }
    let configuration = try readBytes(blobs.appending(image.content.config.digest.hex))
    return (
      try BaseImage(reference, image, configuration: configuration), resolved.root.descriptor.digest, blobs
    )
  }

  private func bring(_ blob: Descriptor, of reference: ImageReference, to place: FilePath) async throws {
    let isThere = await offload { () in
      (try? Digest(ofFile: place, algorithm: blob.digest.algorithm)) == blob.digest
    }
    guard !isThere else { return }
    try await client.download(
      blob, of: reference, to: place,
      onEvent: progress.events(of: .images, named: "\(reference)"))
  }
}

/// Whether Ansible can run on a base, and what is missing for it.
struct BaseFit: Sendable {
  /// The path of its Python.
  let python: String
  /// The minor version of that Python 3.
  let minor: Int
  /// The C library, as minor version of glibc 2; the largest number where nobody knows.
  let glibcMinor: Int
  /// The packages that Ansible wants and the base has not.
  let missing: [String]

  /// - Parameter minors: The Pythons that the Ansible supports.
  /// - Throws: ``AssemblyFailed``.
  init(
    _ name: ImageReference, _ base: BaseImage, _ contents: BaseContents, _ minors: ClosedRange<Int>
  ) throws {
    let wanted =
      "Choose a base with Python 3.\(minors.lowerBound) to 3.\(minors.upperBound) in python.ansible_base"
    func failed(_ reason: String) -> AssemblyFailed {
      AssemblyFailed(name: name, reason: "\(base.reference) \(reason). \(wanted)")
    }
    guard !contents.isMusl else {
      throw failed("has musl as its C library, and the wheels in the bundle want glibc")
    }
    guard let python = contents.python(in: base.searchPath) else { throw failed("has no Python 3") }
    guard minors.contains(python.minor) else {
      throw failed("has Python 3.\(python.minor), which this kubespray's Ansible does not run on")
    }
    self.python = python.path
    minor = python.minor
    glibcMinor = contents.system.flatMap { try? PackageTarget($0).glibcMinor } ?? .max
    let programs = ["openssh-client": "ssh"]
    missing = AnsibleImage.packages.map(\.name).filter { package in
      !contents.has(programs[package] ?? package, in: base.searchPath)
    }
  }
}
