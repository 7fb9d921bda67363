import Bundle
import Cache
import Console
import Host
import Kubespray
import Mirrors
import Settings
import SystemPackage

/// The operating-system packages: one repository for each target.
struct PackageRepositories: Sendable {
  let job: Job
  let kubespray: KubesprayWorkshop
  let cache: Cache
  let memory: ResolutionMemory
  /// What was asked for before, in place of what kubespray's roles install; `nil` for these.
  private let asked: AskedPackages?
  /// What was added to the bundle; `nil` for what its own list says.
  private let additions: Additions?
  /// The package lists of Debian's family, by name of the release.
  private let lists: [String: DebianLists]

  init(_ job: Job, _ tools: RunTools, asked: AskedPackages? = nil, additions: Additions? = nil) {
    self.job = job
    (self.asked, self.additions) = (asked, additions)
    kubespray = tools.kubespray
    cache = tools.cache
    memory = tools.resolutions
    // Settings that no run can follow are the stage's to report.
    let choices = ((try? job.packageTargets()) ?? []).filter { $0.target.family == .debian }
    lists = Dictionary(
      choices.map {
        ($0.target.name, DebianLists(target: $0.target, sources: $0.sources, cache: tools.cache))
      }
    ) { first, _ in first }
  }

  /// Fetches the package lists of releases whose packages will have to be chosen anew: that needs no catalog.
  func fetchLists(_ events: StageEvents) async {
    for choice in (try? job.packageTargets()) ?? [] {
      guard let lists = lists[choice.target.name], let folder = try? BundlePath(choice.folder),
        !memory.hasRecentAnswer(folder)
      else { continue }
      await lists.fetch(job.architectures) { events.say(.info, "\(folder): \($0)") }
    }
  }

  /// The mirrors of the stage `repo`, unless packages are left out.
  ///
  /// - Throws: `UnsupportedTarget`, or what kept the wanted packages from being known.
  func mirrors(_ events: StageEvents) async throws -> [any Mirror] {
    guard !job.configuration.packages.skip else {
      events.say(.info, "operating-system packages are left out, as packages.skip says")
      return []
    }
    var mirrors: [any Mirror] = []
    for choice in try job.packageTargets() { mirrors.append(try await repository(choice)) }
    return mirrors
  }

  /// What the roles of the chosen kubespray install on nodes, most of it under conditions of the cluster's: a package that
  /// a release does not have is a warning. The proof looks for the same list.
  private func ofKubespray(_ target: PackageTarget) async throws -> [WantedPackage] {
    let version = try await kubespray.source().copy.tree.declaredVersion
    return try await kubespray.catalog().packages(for: target.name).filter(\.isName).map { package in
      let place = "\(package.origin) of kubespray" + (version.map { " \($0)" } ?? "")
      let open = package.conditions.joined(separator: " and ")
      return WantedPackage(
        name: package.bareName, origin: open.isEmpty ? place : "\(place), when \(open)", isRequired: false)
    }
  }

  /// What an image with Ansible lacks that is assembled on a slim base.
  private func ofAnsible(_ target: PackageTarget) -> [WantedPackage] {
    guard target.family == .debian, AnsibleImage.isAssembled(job.configuration) else { return [] }
    return AnsibleImage.packages.map {
      WantedPackage(name: $0.name, origin: "python.ansible_image", isRequired: $0.isRequired)
    }
  }

  private func asked(_ choice: PackageTargets.Choice) async throws -> [WantedPackage] {
    if let known = asked?.wanted(in: choice.folder) { return known }
    return try await ofKubespray(choice.target)
  }

  private func added() throws -> [WantedPackage] {
    let additions = try self.additions ?? Additions(in: job.configuration.outputs)
    return additions.entries(of: .package).map { WantedPackage(name: $0.name, origin: "download-all add") }
  }

  private func repository(_ choice: PackageTargets.Choice) async throws -> any Mirror {
    let settings = job.configuration.packages
    let wanted =
      try PackageList.read(for: choice.target, in: job.folder(settings.lists))
      + (try await asked(choice))
      + ofAnsible(choice.target)
      + added()
    let folder = try BundlePath(choice.folder)
    let owner = "kubespray-offline \(folder) for \(choice.target), \(job.architectureNames)"
    let key = settings.signingKey.map { SigningKey($0) } ?? .made(for: owner)
    guard let lists = lists[choice.target.name] else {
      return RPMRepository(
        target: choice.target, folder: folder, architectures: job.architectures, wanted: wanted,
        sources: choice.sources, signingKey: key, cache: cache)
    }
    return DebianRepository(
      folder: folder, architectures: job.architectures, wanted: wanted, lists: lists, signingKey: key)
  }
}
