import FoundationEssentials
import Host
import SystemPackage
import YAML

/// The operating-system packages that a kubespray's roles install on nodes.
///
/// Source: `roles/system_packages/vars/main.yml`, before 2.29 `roles/kubernetes/preinstall/vars/main.yml`: a mapping
/// `pkgs` of names to conditions, all of which must hold.
public struct SystemPackages: Sendable {
  /// A package that a role may install.
  public struct Package: Sendable, Hashable, Codable {
    /// Its name, as the role gives it to the package manager.
    public let name: String
    /// Where that is said, for people: the file, and the conditions that depend on more than the release.
    public let origin: String
  }

  private let tree: KubesprayTree

  /// - Parameter tree: The kubespray tree.
  public init(tree: KubesprayTree) { self.tree = tree }

  /// The file that declares the packages; `nil` for a tree that has them in another form (before 2.25).
  public var file: FilePath? {
    [
      "roles/system_packages/vars/main.yml", "roles/kubernetes/preinstall/vars/main.yml",
    ].map { tree.path.appending($0) }.first { file in
      KubesprayTree.text(file).flatMap { try? YAML.parse($0, source: file.string) }?["pkgs"]?.mapping != nil
    }
  }

  /// The packages that may be installed on a release, whatever is chosen for the cluster.
  ///
  /// What depends on the release alone is decided, by Jinja itself with Ansible's tests and filters; every other
  /// condition counts as possible.
  /// - Parameters:
  ///   - id: The distribution as os-release names it: `debian`, `ubuntu`, `rhel`, `rocky`, `almalinux`.
  ///   - version: Its version as package lists use it: `12`, `24.04`, for the RHEL family `9`.
  ///   - python: The Python of an environment that has ansible-core, as ``PythonEnvironment`` makes it.
  /// - Throws: ``SystemPackagesError`` or `CommandError`.
  public func packages(id: String, version: String, python: FilePath) async throws -> [Package] {
    guard let file else { return [] }
    let name = file.string.dropFirst(tree.path.string.count).drop { $0 == "/" }
    let query = Query(file: file.string, facts: Self.facts(id: id, version: version))
    let input = String(decoding: try JSONEncoder().encode(query), as: UTF8.self)
    let result = try await Command(
      python.string, ["-I", "-c", String(decoding: PackageResources.package_conditions_py, as: UTF8.self)],
      environment: ["ANSIBLE_CONFIG": nil],
      input: input
    ).run()
    guard result.status == 0,
      let answers = try? JSONDecoder().decode([Answer].self, from: Data(result.standardOutput.utf8))
    else {
      let said = result.standardError.split(whereSeparator: \.isNewline).last.map(String.init)
      throw SystemPackagesError(file: file, reason: said ?? "the evaluation said nothing")
    }
    let place = "\(name) of kubespray" + (tree.declaredVersion.map { " \($0)" } ?? "")
    return answers.map { answer in
      let open = answer.open.isEmpty ? "" : ", when " + answer.open.joined(separator: " and ")
      return Package(name: answer.name, origin: place + open)
    }
  }

  private struct Query: Encodable {
    let file: String
    let facts: [String: String]
  }

  /// A package that is not ruled out, with the conditions that could not be decided.
  private struct Answer: Decodable {
    let name: String
    let open: [String]
  }

  /// What Ansible's setup module would tell about a release, as far as the release decides it.
  static func facts(id: String, version: String) -> [String: String] {
    let names = [
      "debian": "Debian", "ubuntu": "Ubuntu", "rhel": "RedHat", "rocky": "Rocky", "almalinux": "AlmaLinux",
      "centos": "CentOS", "fedora": "Fedora", "ol": "OracleLinux",
    ]
    let isDebian = id == "debian" || id == "ubuntu"
    var facts = [
      "distribution": names[id] ?? id,
      "distribution_major_version": String(version.prefix { $0 != "." }),
      "os_family": isDebian ? "Debian" : "RedHat",
      "pkg_mgr": isDebian ? "apt" : "dnf",
      "system": "Linux",
    ]
    // Of the others the full version has a point release, which is not known.
    if id == "ubuntu" { facts["distribution_version"] = version }
    return facts
  }
}

/// The packages of a kubespray tree cannot be read.
public struct SystemPackagesError: Error, CustomStringConvertible {
  /// The file that declares them.
  public let file: FilePath
  /// What is wrong.
  public let reason: String

  /// A sentence for people.
  public var description: String {
    "\(file): the packages of kubespray's roles cannot be evaluated: \(reason). "
      + "If the file was changed or patched, compare it with the original."
  }
}
