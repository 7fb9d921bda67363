import Bundle
import FoundationEssentials
import Host
import SystemPackage

/// The package repositories that a bundle carries, and which of them a machine takes.
struct BundleRepositories: Sendable, Equatable {
  /// Which package world a repository is of; the name of its folder in the bundle.
  enum Kind: String, Sendable, CaseIterable {
    case debs
    case rpms

    /// The package world of a distribution; `nil` where it is neither.
    init?(_ family: OSRelease.Family) {
      switch family {
      case .debian: self = .debs
      case .redHat, .suse: self = .rpms
      case .other: return nil
      }
    }

    /// The package world of a release by its name, such as `debian-12`.
    fileprivate init(releaseNamed name: String) {
      self = name.hasPrefix("debian-") || name.hasPrefix("ubuntu-") ? .debs : .rpms
    }

    /// A file that every repository of this kind has.
    fileprivate var index: String { self == .debs ? "Packages" : "repodata/repomd.xml" }
  }

  /// The packages for one release.
  struct Repository: Sendable, Equatable {
    /// Which package world it is of.
    let kind: Kind
    /// Its folder below `debs` or `rpms`, such as `local`.
    let folder: String
    /// The keys with which a client checks it, by path below the bundle; empty when nothing is signed.
    var publicKeys: [String] = []
    /// Whether each architecture has an index of its own in a folder of its name (Debian).
    var hasArchitectures = false
    /// Whether a key checks every package (RPM).
    var packagesAreSigned = false
    /// Whether a key checks the metadata.
    var metadataIsSigned = false
    /// What a signed repository has and this one lacks, by path below the bundle.
    var missingSignatures: [String] = []

    /// Its place in the bundle and on the web server, such as `debs/local`.
    var path: String { "\(kind.rawValue)/\(folder)" }
  }

  /// All of them, by kind and folder.
  let repositories: [Repository]
  /// The release whose packages are in the folder `local`; `nil` when the bundle does not tell.
  let host: String?
  /// Whether there is an index of Python packages.
  let hasPython: Bool

  /// Looks into a bundle.
  ///
  /// - Parameters:
  ///   - bundle: The bundle; its manifest says which there are.
  ///   - host: The release that `local` stands for (setting `packages.host`).
  /// - Throws: ``StepError`` when there is no finished bundle, or what it says of its keys is not as the manifest says.
  init(bundle: ArrivedBundle, host: String?) throws(StepError) {
    self.host = host
    hasPython = try bundle.has("pypi/index.html")
    var found: [Repository] = []
    for kind in Kind.allCases {
      let names = Set(
        try bundle.files(below: kind.rawValue).compactMap { path -> String? in
          let parts = path.split(separator: "/")
          return parts.count > 2 ? String(parts[1]) : nil
        })
      for name in names.sorted() where try bundle.has("\(kind.rawValue)/\(name)/\(kind.index)") {
        found.append(try Self.repository(kind, name, in: bundle))
      }
    }
    repositories = found
    // Only a bundle of the shell project may have repositories that nobody signed.
    guard let manifest = bundle.manifest else { return }
    for repository in found {
      guard let missing = repository.missingSignatures.first else { continue }
      throw StepError(
        "\(repository.path) of the bundle must be signed, and \(Manifest.fileName) lists no \(missing)",
        .remake)
    }
    for folder in manifest.signedRepositories.keys.sorted()
    where !found.contains(where: { $0.path == folder }) {
      throw StepError(
        "\(folder) of the bundle must be signed, and \(Manifest.fileName) lists no index of it", .remake)
    }
  }

  /// The folder for each release that the bundle tells, such as `debian-12` in `debs/local`.
  var targets: [String: Repository] {
    var targets: [String: Repository] = [:]
    for repository in repositories {
      guard let name = name(of: repository) else { continue }
      // Two folders "local", in a bundle that somebody has merged, are not both of the same release.
      if targets[name]?.kind != Kind(releaseNamed: name) { targets[name] = repository }
    }
    return targets
  }

  /// The packages for a machine; `nil` when the bundle has no packages at all, or none of that kind.
  ///
  /// - Throws: ``NoPackagesForRelease`` when it has only those of other releases.
  func repository(for system: OSRelease) throws(NoPackagesForRelease) -> Repository? {
    guard let kind = Kind(system.family) else { return nil }
    // RPM packages of SUSE and of the RHEL family are of no use to each other.
    let isOfSUSE = system.family == .suse
    let suitable = repositories.filter {
      $0.kind == kind && Self.isOfSUSE(self.name(of: $0)) == isOfSUSE
    }
    guard !suitable.isEmpty else { return nil }
    let name = system.releaseName
    if let exact = targets[name], exact.kind == kind { return exact }
    // The rebuilds of one RHEL release take each other's packages, and SUSE's two systems of one version are built of the same.
    if kind == .rpms, let version = isOfSUSE ? system.versionID : system.majorVersion.map(String.init) {
      let relative = targets.filter {
        $0.key.hasSuffix("-\(version)") && $0.value.kind == .rpms && Self.isOfSUSE($0.key) == isOfSUSE
      }
      if let first = relative.min(by: { $0.key < $1.key }) { return first.value }
    }
    if host == nil, let local = suitable.first(where: { $0.folder == "local" }) { return local }
    throw NoPackagesForRelease(name: name, found: targets.keys.sorted())
  }

  /// The release that a repository is for; `nil` when the bundle does not tell.
  private func name(of repository: Repository) -> String? {
    repository.folder == "local" ? host : repository.folder
  }

  private static func isOfSUSE(_ release: String?) -> Bool {
    release.map { $0.hasPrefix("opensuse-") || $0.hasPrefix("sles-") } ?? false
  }

  private static func repository(
    _ kind: Kind, _ folder: String, in bundle: ArrivedBundle
  ) throws(StepError) -> Repository {
    var repository = Repository(kind: kind, folder: folder)
    let place = repository.path
    switch kind {
    case .debs: try fillDebian(&repository, place, bundle)
    case .rpms: try fillRPM(&repository, place, bundle)
    }
    return repository
  }

  private static func fillDebian(
    _ repository: inout Repository, _ place: String, _ bundle: ArrivedBundle
  ) throws(StepError) {
    var indexes = [place]
    for architecture in Architecture.allCases {
      let folder = "\(place)/\(architecture.rawValue)"
      if try bundle.has("\(folder)/\(repository.kind.index)") { indexes.append(folder) }
    }
    repository.hasArchitectures = indexes.count > 1
    let key = "\(place)/kubespray-offline.asc"
    for file in indexes.flatMap({ ["\($0)/InRelease", "\($0)/Release.gpg"] }) + [key]
    where try !bundle.has(file) {
      repository.missingSignatures.append(file)
    }
    if try bundle.has("\(place)/InRelease"), try bundle.has(key) {
      repository.publicKeys = [key]
      repository.metadataIsSigned = true
    }
  }

  private static func fillRPM(
    _ repository: inout Repository, _ place: String, _ bundle: ArrivedBundle
  ) throws(StepError) {
    let note = "\(place)/keys/signatures.json"
    guard try bundle.has(note) else {
      repository.missingSignatures = [note]
      return
    }
    guard let signatures = try? JSONDecoder().decode(Signatures.self, from: Data(try bundle.bytes(note)))
    else {
      throw StepError("\(note) of the bundle cannot be understood", .remake)
    }
    let own = "\(place)/\(signatures.repositoryKey ?? "keys/RPM-GPG-KEY-kubespray-offline")"
    let keys = signatures.keys.map { "\(place)/\($0)" }.filter { $0 != own }
    for key in keys + [own] where try bundle.has(key) { repository.publicKeys.append(key) }
    repository.packagesAreSigned = signatures.gpgcheck
    let signature = "\(place)/repodata/repomd.xml.asc"
    for file in [signature, own] where try !bundle.has(file) {
      repository.missingSignatures.append(file)
    }
    repository.metadataIsSigned = repository.missingSignatures.isEmpty
  }

  /// `keys/signatures.json` of an RPM repository.
  private struct Signatures: Decodable {
    let gpgcheck: Bool
    let keys: [String]
    let repositoryKey: String?
  }
}

extension OSRelease {
  /// The name of the release as the settings write it: `debian-12`, `ubuntu-24.04`, `rocky-9`.
  var releaseName: String {
    "\(id)-\(family == .redHat ? majorVersion.map(String.init) ?? versionID : versionID)"
  }
}

/// The bundle has packages, but not for this release.
struct NoPackagesForRelease: Error, CustomStringConvertible, Equatable {
  /// The release.
  let name: String
  /// Those it has packages for.
  let found: [String]

  var description: String {
    "the bundle has no packages for \(name)"
      + (found.isEmpty ? "" : ", only for \(found.joined(separator: ", "))")
  }
}
