/// A processor architecture, by the name that Go, Debian and container images give it.
///
/// These are the ones that Kubernetes publishes Linux server binaries for.
public enum Architecture: String, Sendable, Codable, CaseIterable {
  case amd64
  case arm64
  case ppc64le
  case s390x

  /// The kernel's and RPM's name, as `uname -m` prints it.
  public var machineName: String {
    switch self {
    case .amd64: "x86_64"
    case .arm64: "aarch64"
    case .ppc64le: "ppc64le"
    case .s390x: "s390x"
    }
  }

  /// The architecture this program was built for, so the one it runs on.
  public static var current: Architecture {
    #if arch(x86_64)
      .amd64
    #elseif arch(arm64)
      .arm64
    #elseif arch(powerpc64le)
      .ppc64le
    #elseif arch(s390x)
      .s390x
    #endif
  }
}
