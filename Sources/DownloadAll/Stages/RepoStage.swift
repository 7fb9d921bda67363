import Bundle
import Console
import Host
import Integrity
import Mirrors
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
      return try targets.choices.map { try repository($0, run) }
    }
  }

  private static func repository(_ choice: PackageTargets.Choice, _ run: RunContext) throws -> any Mirror {
    let settings = run.configuration.packages
    let wanted = try PackageList.read(for: choice.target, in: run.projectRoot.pushing(settings.lists))
    let folder = try BundlePath(choice.folder)
    let key = settings.signingKey.map { SigningKey($0) }
    let cache = run.configuration.cache.appending("packages")
    switch choice.target.family {
    case .debian:
      return DebianRepository(
        target: choice.target, folder: folder, architecture: run.architecture, wanted: wanted,
        sources: choice.sources, signingKey: key, cache: cache)
    case .redHat, .other:
      return RPMRepository(
        target: choice.target, folder: folder, architecture: run.architecture, wanted: wanted,
        sources: choice.sources, signingKey: key, cache: cache)
    }
  }
}
