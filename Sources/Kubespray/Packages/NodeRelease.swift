/// A release of a distribution that nodes of the cluster run.
public struct NodeRelease: Hashable, Sendable {
  /// Its name, such as `debian-12`.
  public let name: String
  /// The `ID` of its os-release file.
  public let id: String
  /// Its version as package lists use it: `12`, `24.04`, `16.0`; for the RHEL family the major version.
  public let version: String
  /// The name of the release in the archive, such as `bookworm`; `nil` for RPM packages.
  public let codename: String?

  /// Makes a value of its parts.
  public init(name: String, id: String, version: String, codename: String?) {
    self.name = name
    self.id = id
    self.version = version
    self.codename = codename
  }

  /// What Ansible's setup module would report about it, by the names of its facts.
  var facts: [String: String] {
    let names = [
      "debian": "Debian", "ubuntu": "Ubuntu", "rhel": "RedHat", "rocky": "Rocky", "almalinux": "AlmaLinux",
      "centos": "CentOS", "fedora": "Fedora", "ol": "OracleLinux", "opensuse-leap": "openSUSE Leap",
    ]
    let isDebian = id == "debian" || id == "ubuntu"
    var facts = [
      "distribution": names[id] ?? id,
      "distribution_major_version": String(version.prefix { $0 != "." }),
      "distribution_version": version,
      "os_family": isDebian ? "Debian" : isOfSUSE ? "Suse" : "RedHat",
      "pkg_mgr": isDebian ? "apt" : isOfSUSE ? "zypper" : "dnf",
      "system": "Linux",
    ]
    facts["distribution_release"] = codename
    return facts
  }

  /// The facts that a point release changes.
  var uncertainFacts: [String] { id == "ubuntu" || isOfSUSE ? [] : ["distribution_version"] }

  private var isOfSUSE: Bool { id.hasPrefix("opensuse") }

  /// The names, best first, under which a role keeps what is special to the release: its includes by
  /// `ansible_distribution` and `ansible_os_family`.
  var fileNames: [String] {
    let distribution = facts["distribution"]?.lowercased() ?? id
    let family = facts["os_family"]?.lowercased() ?? id
    let major = facts["distribution_major_version"] ?? version
    return [
      "\(distribution)-\(version)", "\(distribution)-\(major)", distribution, "\(family)-\(major)", family,
    ] + (isOfSUSE ? [id, "opensuse"] : [])
  }
}
