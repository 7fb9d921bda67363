import Bundle
import Console
import Host
import Integrity
import Kubespray
import Mirrors
import Settings
import SystemPackage

extension MirrorStage {
  /// The operating-system packages: one repository for each target.
  static func repo(_ configuration: Configuration) -> MirrorStage {
    MirrorStage(name: .repo, needs: configuration.packages.skip ? [] : [.pkgs, .py]) { run in
      guard !run.configuration.packages.skip else {
        run.say(.info, "operating-system packages are left out, as packages.skip says", stage: .repo)
        return []
      }
      let targets = try PackageTargets(run.configuration.packages, system: try OSRelease.current())
      var mirrors: [any Mirror] = []
      for choice in targets.choices { mirrors.append(try await repository(choice, run)) }
      return mirrors
    }
  }

  /// What the roles of the chosen kubespray install on nodes, most of it under conditions of the cluster's: a package that
  /// a release does not have is a warning.
  private static func ofKubespray(_ target: PackageTarget, _ run: RunContext) async throws -> [WantedPackage]
  {
    let tree = try await run.kubespray.source().copy.tree
    let python = try await run.kubespray.environment().python
    return try await SystemPackages(tree: tree).packages(
      id: target.id, version: target.version, python: python
    )
    .map { WantedPackage(name: $0.name, origin: $0.origin, isRequired: false) }
  }

  /// What an image with Ansible lacks that is assembled on a slim base.
  private static func ofAnsible(
    _ target: PackageTarget, _ configuration: Configuration
  ) -> [WantedPackage] {
    guard target.family == .debian, AnsibleImage.isAssembled(configuration) else { return [] }
    return AnsibleImage.packages.map {
      WantedPackage(name: $0.name, origin: "python.ansible_image", isRequired: $0.isRequired)
    }
  }

  private static func repository(_ choice: PackageTargets.Choice, _ run: RunContext) async throws
    -> any Mirror
  {
    let settings = run.configuration.packages
    let wanted =
      try PackageList.read(for: choice.target, in: run.projectRoot.pushing(settings.lists))
      + (try await ofKubespray(choice.target, run))
      + ofAnsible(choice.target, run.configuration)
    let folder = try BundlePath(choice.folder)
    let key = settings.signingKey.map { SigningKey($0) }
    let cache = run.configuration.cache.appending("packages")
    switch choice.target.family {
    case .debian:
      return DebianRepository(
        target: choice.target, folder: folder, architectures: run.architectures, wanted: wanted,
        sources: choice.sources, signingKey: key, cache: cache)
    case .redHat, .other:
      return RPMRepository(
        target: choice.target, folder: folder, architectures: run.architectures, wanted: wanted,
        sources: choice.sources, signingKey: key, cache: cache)
    }
  }
}
