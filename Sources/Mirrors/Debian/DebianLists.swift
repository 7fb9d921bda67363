import Cache
import Concurrency
import Host
import SystemPackage

/// The package lists of a release, as apt reads them, for each architecture by itself.
///
/// They can be fetched before it is known which packages are wanted; whoever takes them then finds them there.
public struct DebianLists: Sendable {
  /// Lists that were fetched. Nobody else works in their root while this value lives.
  struct Fetched: Sendable {
    let root: AptRoot
    /// The sources of which at least one list could not be had.
    let failures: [AptRoot.Failure]
    fileprivate let place: Workplace
  }

  let target: PackageTarget
  let sources: FilePath?
  /// The machine whose apt sources and keys are used.
  let host: AptHost
  private let cache: Cache

  /// Nothing is fetched yet.
  ///
  /// - Parameters:
  ///   - target: The release.
  ///   - sources: A file of apt sources, of one-line or deb822 form; without it this machine's own, which also serve
  ///     for other releases of its distribution.
  ///   - cache: A folder that keeps the lists between runs.
  public init(target: PackageTarget, sources: FilePath?, cache: Cache) {
    self.init(target: target, sources: sources, cache: cache, host: AptHost())
  }

  init(target: PackageTarget, sources: FilePath?, cache: Cache, host: AptHost) {
    self.target = target
    self.sources = sources
    self.cache = cache
    self.host = host
  }

  /// Fetches the lists ahead of whoever takes them, who then only asks whether there are newer ones, and hears of errors.
  ///
  /// Nothing is held afterwards: whoever takes the lists may hold other places of the cache already, and two runs that
  /// take the same places in another order would wait for each other for ever.
  public func fetch(
    _ architectures: [Architecture], _ say: @escaping @Sendable (String) -> Void
  ) async {
    await forEachConcurrently(architectures, limit: architectures.count) { architecture in
      _ = try? await self.take(architecture, say)
    } onResult: { _, _ in
    }
  }

  /// What decides which lists these are.
  ///
  /// - Throws: ``DebianRepositoryError``.
  func fingerprint(_ architecture: Architecture) throws -> String {
    try host.sources(for: target, given: sources, architecture: architecture).fingerprint
  }

  /// The lists of an architecture, as new as the servers have them.
  ///
  /// - Throws: ``DebianRepositoryError``, `CommandError` or `FileError`.
  func take(
    _ architecture: Architecture, _ say: @escaping @Sendable (String) -> Void
  ) async throws -> Fetched {
    let declared = try host.sources(for: target, given: sources, architecture: architecture)
    let place = try await cache.workplace(.clients, "apt-\(target.name)-\(architecture.rawValue)") {
      say("another run is reading the package lists of \(target): waiting for it")
    }
    let root = try await AptRoot(
      place.path, host: host.etc, origin: declared.origin,
      declared: declared.sources, architecture: architecture)
    say("reading the package lists of \(target)")
    return Fetched(root: root, failures: try await root.update(for: target), place: place)
  }
}
