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
      return try repositories(run)
    }
  }

  private static func repositories(_ run: RunContext) throws -> [any Mirror] {
    let targets = try PackageTargets(run.configuration.packages, system: try OSRelease.current())
    for choice in targets.choices {
      _ = try PackageList.read(
        for: choice.target, in: run.projectRoot.pushing(run.configuration.packages.lists))
    }
    return []
  }
}
