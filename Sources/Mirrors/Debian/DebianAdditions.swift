import Bundle
import Cache
import Files
import Host
import SystemPackage

/// Packages of a bundle's repository for a system that is not running: the base of an image.
public struct DebianAdditions: Sendable {
  let repository: FilePath
  let architecture: Architecture
  let cache: Cache
  var host = AptHost()

  /// Additions from a repository.
  ///
  /// - Parameters:
  ///   - repository: The folder of a repository as ``DebianRepository`` makes it, with its index; an absolute path.
  ///   - architecture: The architecture of the system.
  ///   - cache: Where apt's lists are kept.
  public init(repository: FilePath, architecture: Architecture, cache: Cache) {
    self.repository = repository
    self.architecture = architecture
    self.cache = cache
  }

  /// Whether there is such a repository.
  public var isThere: Bool { fileExists(repository.appending("Packages")) }

  /// Asks apt's solver which packages a system lacks.
  ///
  /// - Parameters:
  ///   - names: What is wanted; what the repository does not have is left out.
  ///   - status: The system's own `/var/lib/dpkg/status`.
  /// - Returns: The `.deb` files, in order of names.
  /// - Throws: `CommandError`, with apt's reason when there is no solution, or `FileError`.
  public func files(for names: [String], on status: [UInt8]) async throws -> [FilePath] {
    let source = "deb [trusted=yes] copy:\(repository.escaped) ./\n"
    let place = try await cache.workplace(.clients, "apt-image-\(architecture.rawValue)")
    defer { withExtendedLifetime(place) {} }
    let root = try await AptRoot(
      place.path, host: host.etc, origin: .text(source),
      declared: [],
      architecture: architecture)
    try writeAtomically(status, to: root.folder.appending("state/status"))
    let update = try await root.command("apt-get", ["update", "-q"]).run()
    guard update.status == 0 else { throw CommandError.failed(command: "apt-get update", result: update) }
    let lists = try PackageLists(try await root.listFiles())
    let known = names.filter(lists.has).sorted()
    guard !known.isEmpty else { return [] }
    let arguments = ["install", "-y", "-q", "--no-install-recommends", "--no-remove", "--print-uris"] + known
    let result = try await root.command("apt-get", arguments).run()
    guard result.status == 0 else { throw CommandError.failed(command: "apt-get install", result: result) }
    return DebianSolver.choices(result.standardOutput).sorted { $0.name < $1.name }.map {
      repository.pushing(FilePath(DebianRepository.path(of: $0)))
    }
  }

  /// Unpacks packages into a folder without running anything of them.
  ///
  /// - Throws: `CommandError`.
  public static func unpack(_ files: [FilePath], into folder: FilePath) async throws {
    for file in files {
      _ = try await Command("dpkg-deb", ["--extract", file.string, folder.string]).output()
    }
  }
}
