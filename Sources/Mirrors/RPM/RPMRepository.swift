import Bundle
import Cache
import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// A repository of RPM packages for one release of RHEL, its rebuilds or openSUSE.
///
/// It has what dnf would install on an empty system of that release to have the wanted packages, and the packages of
/// a minimal system that come of the same build as one of those and require its exact version: a node that already
/// has them can upgrade only all together. The solver is dnf's own library, in folders of its own: no configuration
/// and no database of this host is changed, and root is not needed.
public struct RPMRepository: Mirror {
  /// Its folder in `outputs/`.
  public let folder: BundlePath
  let target: PackageTarget
  let architectures: [Architecture]
  let wanted: [WantedPackage]
  let sourcesPath: FilePath?
  let signingKey: SigningKey
  let cache: Cache

  /// Describes a repository; nothing is read yet.
  ///
  /// - Parameters:
  ///   - target: For which release.
  ///   - folder: Its folder in the bundle, such as `rpms/local`.
  ///   - architectures: For which processors; packages of no other come along but those for all (`noarch`). One
  ///     repository holds those of all of them: dnf passes over what its machine cannot run.
  ///   - wanted: What was asked for: names of packages, or what packages provide.
  ///   - sources: A .repo file or a folder of them; `nil` takes what this host's dnf uses, if it runs `target`.
  ///   - signingKey: Signs the metadata.
  ///   - cache: A folder for dnf's metadata, kept between runs.
  public init(
    target: PackageTarget, folder: BundlePath, architectures: [Architecture], wanted: [WantedPackage],
    sources: FilePath?, signingKey: SigningKey, cache: Cache
  ) {
    self.target = target
    self.folder = folder
    self.architectures = architectures
    self.wanted = wanted
    self.sourcesPath = sources
    self.signingKey = signingKey
    self.cache = cache
  }

  /// Whether this machine has dnf 4 with its Python library, which resolves packages. A program that is called dnf is
  /// dnf 5 on newer systems.
  public static var hasSolver: Bool { (try? RPMSolver.findClient()) != nil }

  /// Names, target, the files that configure dnf, and the programs that do the work.
  ///
  /// - Throws: ``RPMRepositoryError``, or what the signing key throws.
  public func inputs() async throws -> String {
    // The file of a program changes with its version, and a look at it is cheaper than asking for the version.
    let client = try RPMSolver.findClient().script
    return [
      "rpm repository 1", "target \(target) \(architectures.names)",
      "wanted " + Set(wanted.map { "\($0.name) \($0.isRequired)" }).sorted().joined(separator: " "),
      "solver \(Digest(of: RPMSolver.scripts.flatMap(\.value)).hex)",
      "dnf \(Self.stamp(of: client))",
      "createrepo_c \(findExecutable("createrepo_c").map(Self.stamp) ?? "none")",
      "key \(try await signingKey.identity())", try sources().fingerprint(),
    ].joined(separator: "\n")
  }

  /// Release, architectures and packages.
  public func asked() -> [String] { wanted.lines(for: target, architectures) }

  /// Asks dnf; the metadata of the repositories is read again where it has changed.
  ///
  /// A package whose repository needs a client certificate, a password or a proxy of dnf's own, or knows no checksum
  /// that is still trusted, is fetched by dnf and then lies in `cache`, to which its `file` URL points.
  /// - Throws: ``RPMRepositoryError`` or `CommandError`; for several architectures ``ArchitecturesFailed``.
  public func resolve(_ say: @escaping @Sendable (String) -> Void) async throws -> MirrorResolution {
    let sources = try sources()
    let answers = try await architectures.concurrently(say) { architecture, say in
      let place = try await cache.workplace(.clients, "dnf-\(target)-\(architecture.machineName)") {
        say("another run is reading the package lists of \(target): waiting for it")
      }
      defer { withExtendedLifetime(place) {} }
      let solver = RPMSolver(
        target: target, architecture: architecture, wanted: wanted, sources: sources,
        root: place.path)
      let answer = try await solver.run(say)
      say(counted(answer.packages?.count ?? 0, "package") + siblingText(answer.siblings ?? []))
      return answer
    }
    let packages = Self.joined(answers.map { $0.packages ?? [] }) { "\($0.digest)" }
    let repositories = Self.joined(answers.map { $0.repositories ?? [] }) { $0.id }
    var resolution = MirrorResolution(files: try files(of: packages, from: repositories))
    resolution.notes["revision"] = String(packages.map(\.buildTime).max() ?? 0)
    let modules = Self.joined(answers.map { RPMModules.documents($0.modules ?? "") }) { $0 }
    if !modules.isEmpty { resolution.notes["modules"] = modules.joined() }
    resolution.warnings = zip(architectures, answers).flatMap { architecture, answer in
      warnings(of: answer).map { architectures.count > 1 ? "\(architecture.rawValue): \($0)" : $0 }
    }
    RPMKeys(repositories: repositories).add(to: &resolution)
    for file in resolution.files { _ = try BundlePath("\(folder)/\(file.path)") }
    return resolution
  }

  private func warnings(of answer: SolverAnswer) -> [String] {
    (answer.skipped ?? []).map {
      "repository \($0.id) is left out, as its .repo file allows (skip_if_unavailable): "
        + hidingCredentials($0.reason)
    } + (answer.warnings ?? []).map(hidingCredentials) + leftOut(answer.left ?? [:])
  }

  /// All of them in order, each once.
  private static func joined<Element>(_ lists: [[Element]], identity: (Element) -> String) -> [Element] {
    var seen: Set<String> = []
    return lists.joined().filter { seen.insert(identity($0)).inserted }
  }

  /// Makes `repodata/`, with the signature of it, and `keys/signatures.json`, which tells what nodes can check.
  ///
  /// - Returns: The fingerprint of the key.
  /// - Throws: ``RPMRepositoryError``, ``SigningKeyError``, `CommandError`, or `FileError` of a write.
  @discardableResult public func makeIndex(
    of resolution: MirrorResolution, in content: FilePath, to destination: FilePath
  ) async throws -> String? {
    try await RPMIndex(signingKey: signingKey).make(of: resolution, in: content, to: destination)
  }

  private func leftOut(_ reasons: [String: String]) -> [String] {
    reasons.sorted { $0.key < $1.key }.map { name, reason in
      let origin = wanted.first { $0.name == name }?.origin ?? "nobody"
      return
        "\(name), which \(origin) asks for, is left out of the packages for \(target); nodes that need it will lack "
        + "it. dnf says: \(hidingCredentials(reason))"
    }
  }

  private func siblingText(_ names: [String]) -> String {
    names.isEmpty ? "" : ", with \(names.joined(separator: " ")) for nodes that already have them"
  }

  /// The packages by their usual file names at the top of the folder.
  private func files(
    of packages: [SolverAnswer.Package], from repositories: [SolverAnswer.Repository]
  ) throws -> [MirrorResolution.File] {
    var taken: Set<String> = []
    let signed = Set(repositories.filter(\.checksMetadata).map(\.id))
    let checked = Set(repositories.filter(\.gpgcheck).map(\.id))
    return packages.map { package in
      var name = "\(package.name)-\(package.version)-\(package.release).\(package.arch).rpm"
      // Names that differ by case only are one file on FAT; dnf does not care what a file is called.
      if !taken.insert(name.lowercased()).inserted {
        name = "\(package.digest.hex.prefix(8))-\(name)"
        taken.insert(name.lowercased())
      }
      // Where the metadata are not signed, TLS must prove them; and a repository that asks for no signatures at all is
      // trusted by its address.
      let isProved = checked.contains(package.repository) && !package.url.hasPrefix("http://")
      return MirrorResolution.File(
        path: name, url: package.url, size: package.size, digest: package.digest,
        isUnsigned: !isProved && !signed.contains(package.repository))
    }.sorted { $0.path < $1.path }
  }

  private func sources() throws(RPMRepositoryError) -> RPMSources {
    if let sourcesPath { return try .at(sourcesPath) }
    guard let host = try? OSRelease.current(), let own = try? PackageTarget(host), own == target else {
      throw .noSources(target)
    }
    return .host()
  }

  private static func stamp(of path: FilePath) -> String {
    guard let info = try? FileInfo(path) else { return "\(path)  0" }
    return "\(path) \(info.size) \(info.modified / 1_000_000_000)"
  }
}
