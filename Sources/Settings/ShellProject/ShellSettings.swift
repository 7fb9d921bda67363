/// The settings as the shell project kubespray-offline keeps them: variables of a config.sh beside its target scripts.
public struct ShellSettings: Sendable {
  /// The file, for people.
  public let path: String
  /// What it assigns.
  public let assignments: ShellAssignments

  /// The variables of its config.sh that are settings here, under the names of the table of settings.
  public static let variables: Set<String> = [
    "KUBESPRAY_VERSION", "RUNC_VERSION", "CONTAINERD_VERSION", "NERDCTL_VERSION", "CNI_VERSION",
    "NGINX_VERSION",
    "REGISTRY_VERSION", "REGISTRY_PORT", "REGISTRY_DIR", "LOCAL_REGISTRY",
    "ADDITIONAL_CONTAINER_REGISTRY_LIST",
  ]

  /// The settings of a file.
  public init(path: String, assignments: ShellAssignments) {
    self.path = path
    self.assignments = assignments
  }
}

extension Configuration {
  /// The configuration as a config.sh with which the shell project's target scripts work on this bundle.
  ///
  /// What the environment may change there (ports and hosts) it may change here.
  public func shellText() -> String {
    var lines = [
      "# The versions and ports of this bundle, written by download-all for the target scripts of the shell project",
      "# kubespray-offline. target-setup reads config.yml instead.",
      "KUBESPRAY_VERSION=\(Self.shellWord(kubespray.version))",
    ]
    for (name, version) in [
      ("RUNC_VERSION", versions.runc), ("CONTAINERD_VERSION", versions.containerd),
      ("NERDCTL_VERSION", versions.nerdctl), ("CNI_VERSION", versions.cni),
      ("NGINX_VERSION", versions.nginx), ("REGISTRY_VERSION", versions.registry),
    ] {
      if let version { lines.append("\(name)=\(Self.shellWord(version))") }
    }
    lines += [
      "REGISTRY_PORT=${REGISTRY_PORT:-\(registry.port)}",
      "ADDITIONAL_CONTAINER_REGISTRY_LIST=${ADDITIONAL_CONTAINER_REGISTRY_LIST:-\(Self.shellWord(registry.additional.joined(separator: " ")))}",
    ]
    if let local = registry.local {
      lines.append("LOCAL_REGISTRY=${LOCAL_REGISTRY:-\(Self.shellWord(local))}")
    }
    if let architecture { lines.append("IMAGE_ARCH=\(Self.shellWord(architecture))") }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func shellWord(_ text: String) -> String {
    let isPlain =
      !text.isEmpty
      && text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
          || "-_./:@+,".utf8.contains($0)
      }
    return isPlain ? text : "'" + text.replacing("'", with: "'\\''") + "'"
  }
}
