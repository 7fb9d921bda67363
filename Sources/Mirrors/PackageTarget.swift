import Files
import Host

/// A release of a distribution whose nodes are to find their packages in the bundle.
public struct PackageTarget: Sendable, Hashable, CustomStringConvertible {
  /// Its name in the settings, such as `debian-12`, `ubuntu-24.04`, `rocky-9` or `opensuse-leap-16.0`.
  public let name: String
  /// The `ID` of its os-release file, such as `debian`.
  public let id: String
  /// Its version as package lists and module names use it: `12`, `24.04`; for the RHEL family the major version, `9`.
  public let version: String
  /// Which package world it belongs to.
  public let family: OSRelease.Family
  /// The name of the release in the archive, such as `bookworm`; `nil` for RPM packages.
  public let codename: String?
  /// The minor version of the Python 3 that runs kubespray's Ansible there, such as 11; `nil` when none of its own can.
  public let pythonMinor: Int?

  /// The releases that packages can be collected for.
  public static let supported: [PackageTarget] = [
    PackageTarget("debian", "11", codename: "bullseye", pythonMinor: nil),
    PackageTarget("debian", "12", codename: "bookworm", pythonMinor: 11),
    PackageTarget("debian", "13", codename: "trixie", pythonMinor: 13),
    PackageTarget("ubuntu", "22.04", codename: "jammy", pythonMinor: 11),
    PackageTarget("ubuntu", "24.04", codename: "noble", pythonMinor: 12),
    PackageTarget("ubuntu", "26.04", codename: "resolute", pythonMinor: 14),
    PackageTarget("rhel", "9", pythonMinor: 11),
    PackageTarget("rhel", "10", pythonMinor: 12),
    PackageTarget("rocky", "9", pythonMinor: 11),
    PackageTarget("rocky", "10", pythonMinor: 12),
    PackageTarget("almalinux", "9", pythonMinor: 11),
    PackageTarget("almalinux", "10", pythonMinor: 12),
    PackageTarget("ol", "9", pythonMinor: 11),
    PackageTarget("ol", "10", pythonMinor: 12),
    PackageTarget("centos", "9", pythonMinor: 11),
    PackageTarget("centos", "10", pythonMinor: 12),
    PackageTarget("fedora", "43", pythonMinor: 14),
    PackageTarget("fedora", "44", pythonMinor: 14),
    PackageTarget("fedora", "45", pythonMinor: 14),
    PackageTarget("opensuse-leap", "15.6", pythonMinor: 11),
    PackageTarget("opensuse-leap", "16.0", pythonMinor: 13),
  ]

  private init(_ id: String, _ version: String, codename: String? = nil, pythonMinor: Int?) {
    name = "\(id)-\(version)"
    self.id = id
    self.version = version
    self.codename = codename
    family = id.hasPrefix("opensuse") ? .suse : codename == nil ? .redHat : .debian
    self.pythonMinor = pythonMinor
  }

  /// The release of that name.
  ///
  /// - Throws: ``UnsupportedTarget``.
  public init(named name: String) throws(UnsupportedTarget) {
    guard let target = Self.supported.first(where: { $0.name == name }) else {
      throw UnsupportedTarget(name: name)
    }
    self = target
  }

  /// The release that a machine runs.
  ///
  /// - Throws: ``UnsupportedTarget``.
  public init(_ system: OSRelease) throws(UnsupportedTarget) {
    let found = Self.supported.first { target in
      target.id == system.id
        && (target.version == system.versionID
          || target.family == .redHat && target.version == system.majorVersion.map(String.init))
    }
    guard let found else { throw UnsupportedTarget(name: "\(system.id)-\(system.versionID)") }
    self = found
  }

  /// The folder below `pkglist/` with its lists: `debian`, `ubuntu`, `fedora`, or `rhel` and `opensuse` for a whole family.
  public var listFolder: String {
    switch family {
    case .redHat: id == "fedora" ? id : "rhel"
    case .suse: "opensuse"
    case .debian, .other: id
    }
  }

  /// Its name.
  public var description: String { name }
}

/// A release for which no packages can be collected.
public struct UnsupportedTarget: Error, CustomStringConvertible {
  /// What was asked for.
  public let name: String

  /// A sentence that lists what is supported.
  public var description: String {
    "packages cannot be collected for \(name). Supported are "
      + PackageTarget.supported.map(\.name).joined(separator: ", ")
  }
}
