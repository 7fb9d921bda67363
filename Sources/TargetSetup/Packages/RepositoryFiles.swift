import Host
import SystemPackage

/// The files that make a machine take its packages from the bundle's web server.
///
/// The playbook offline-repo.yml writes the same bytes on all nodes, so that the two leave each other's work alone.
struct RepositoryFiles: Sendable {
  /// The web server of the bundle: `http://HOST[:PORT]` or `https://HOST[:PORT]`, without a slash at the end.
  let server: String
  /// The path below which it serves the release, such as `/releases/2.30.0`; see ``ReleaseAddress``.
  var release = ""
  /// How it is believed, and with which login it is asked.
  var access = ServerAccess.plain

  static let aptSource: FilePath = "/etc/apt/sources.list.d/kubespray-offline.sources"
  static let aptKey: FilePath = "/etc/apt/keyrings/kubespray-offline.asc"
  static let aptSettings: FilePath = "/etc/apt/apt.conf.d/90kubespray-offline"
  static let aptLogin: FilePath = "/etc/apt/auth.conf.d/kubespray-offline.conf"
  static let dnfSource: FilePath = "/etc/yum.repos.d/kubespray-offline.repo"
  static let zypperSource: FilePath = "/etc/zypp/repos.d/kubespray-offline.repo"
  static let zypperLogin: FilePath = "/etc/zypp/credentials.d/kubespray-offline"
  static let rpmKeys: FilePath = "/etc/pki/rpm-gpg"

  /// The name of the repository of RPM packages.
  static let rpmRepository = "kubespray-offline"

  /// The source of Debian packages (sources.list(5)): signed by the key, or else it alone is trusted.
  ///
  /// `Check-Date`, because a closed network often has no time: a node whose clock is behind must not find the
  /// repository "not valid yet".
  func aptSource(_ repository: BundleRepositories.Repository, key: FilePath = Self.aptKey) -> String {
    let isSigned = !repository.publicKeys.isEmpty
    return TextTemplate(PackageResources.apt_sources).filled([
      "server": server + release, "path": repository.path,
      "suites": repository.hasArchitectures ? "$(ARCH)/" : "./",
      "trusted": isSigned ? nil : "yes", "key": isSigned ? key.string : nil,
    ])
  }

  /// Settings of apt: a proxy that the machine has otherwise is not asked for the bundle.
  var aptSettings: String {
    "// kubespray-offline: the bundle's web server is reached directly.\n"
      + (aptDirect.map { "\($0) \"DIRECT\";\n" } ?? "")
      + (access.isTLS ? "\(aptAuthority) \"\(ServerAccess.authorityPlace)\";\n" : "")
  }

  /// The name of the setting by which apt believes the web server, and others as before; all of them, where it has an
  /// IPv6 address.
  var aptAuthority: String {
    host.contains(":") ? "Acquire::https::CAInfo" : "Acquire::https::\(host)::CAInfo"
  }

  /// The login for apt (apt_auth.conf(5)); `nil` when none is wanted.
  var aptLogin: String? {
    access.login.map {
      "# kubespray-offline: the bundle's web server.\n"
        + "machine \(server) login \($0.user) password \($0.password)\n"
    }
  }

  /// The name of the setting that keeps apt from a proxy; `nil` for an IPv6 address, whose colons apt takes for
  /// its own.
  var aptDirect: String? {
    host.contains(":") ? nil : "Acquire::\(server.prefix { $0 != ":" })::Proxy::\(host)"
  }

  /// The repository of RPM packages (dnf.conf(5)), with its keys in `folder`.
  func dnfSource(
    _ repository: BundleRepositories.Repository, keys folder: FilePath = Self.rpmKeys,
    authority: FilePath = ServerAccess.authorityPlace
  ) -> String {
    TextTemplate(PackageResources.dnf_repo).filled([
      "name": Self.rpmRepository, "server": server + release, "path": repository.path,
      "gpgcheck": repository.packagesAreSigned ? "1" : "0",
      "repositoryCheck": repository.metadataIsSigned ? "1" : "0",
      "keys": Self.keys(of: repository, in: folder),
      "cert": access.isTLS ? authority.string : nil, "user": access.login?.user,
      "password": access.login?.password,
    ])
  }

  /// The repository of RPM packages as zypper reads it (zypper(8), libzypp's `RepoInfo`), with its keys in `folder`.
  ///
  /// Its authority is that of the system, unless a folder of authorities is named.
  func zypperSource(
    _ repository: BundleRepositories.Repository, keys folder: FilePath = Self.rpmKeys,
    authorities: FilePath? = nil
  ) -> String {
    let query = [
      access.login.map { _ in "credentials=\(Self.rpmRepository)" }, authorities.map { "ssl_capath=\($0)" },
    ].compactMap(\.self)
    return TextTemplate(PackageResources.zypper_repo).filled([
      "name": Self.rpmRepository, "server": server + release, "path": repository.path,
      "query": query.isEmpty ? "" : "?" + query.joined(separator: "&"),
      "gpgcheck": repository.publicKeys.isEmpty ? "0" : "1",
      "repositoryCheck": repository.metadataIsSigned ? "1" : "0",
      "packageCheck": repository.packagesAreSigned ? "1" : "0",
      "keys": Self.keys(of: repository, in: folder),
    ])
  }

  /// The login for zypper, in a file of its own; `nil` when none is wanted.
  var zypperLogin: String? {
    access.login.map {
      "# kubespray-offline: the bundle's web server.\nusername = \($0.user)\npassword = \($0.password)\n"
    }
  }

  private static func keys(of repository: BundleRepositories.Repository, in folder: FilePath) -> String? {
    let keys = repository.publicKeys.map { "file://\(folder.appending(installedKey($0)))" }
    return keys.isEmpty ? nil : keys.joined(separator: " ")
  }

  /// The name of a key of the bundle among the keys of the machine.
  static func installedKey(_ path: String) -> String {
    "kubespray-offline-\(FilePath(path).lastComponent?.string ?? path)"
  }

  /// The host of ``server`` with its port, as pip wants it told.
  var authority: String {
    server.split(separator: "/", omittingEmptySubsequences: true).last.map(String.init) ?? server
  }

  /// The host of ``server``, an IPv6 address in its brackets.
  private var host: String {
    guard let colon = authority.lastIndex(of: ":"), authority[colon...].dropFirst().allSatisfy(\.isNumber)
    else {
      return authority
    }
    return String(authority[..<colon])
  }
}
