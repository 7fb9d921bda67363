import Bundle
import Console
import Mirrors

extension MirrorStage {
  /// The Python packages that Ansible needs on the target.
  static func pypi(_ configuration: Configuration) -> MirrorStage {
    MirrorStage(name: .pypi, needs: configuration.pypi.skip ? [] : [.pkgs, .kubespray]) { run in
      guard !run.configuration.pypi.skip else {
        run.say(.info, "Python packages are left out, as pypi.skip says", stage: .pypi)
        return []
      }
      return []
    }
  }
}
