import Bundle
import FoundationEssentials
import Settings

/// Fills the bundle's offline.yml with the addresses of this host.
struct OfflineSettings: Sendable {
  /// The host in URLs: a name, an IPv4 address, or an IPv6 address in brackets.
  let host: String
  /// The web server's address without a slash at the end.
  let server: String
  /// The path of the release on the web server; see ``ReleaseAddress``.
  let release: String
  /// The port of the bundle's own registry.
  let registryPort: Int
  /// Another registry in its place: `HOST[:PORT][/PATH]`.
  let registry: String?
  /// Whether that other registry speaks plain HTTP.
  let registryIsPlain: Bool
  /// How the host's own servers are spoken to.
  let access: ServerAccess
  /// Whether they want a login, made or not.
  let wantsLogin: Bool
  /// The registries of the bundle's images that stay in their names.
  let kept: Set<String>
  /// Registries of the network that nodes ask themselves, and whether they speak plain HTTP.
  let own: [(host: String, isPlain: Bool)]

  /// The file beside offline.yml that has the login, for root alone.
  static let loginFile = "offline-login.yml"

  /// What the bundle's offline.yml has to say of a host with these settings and addresses.
  init(
    _ configuration: Configuration, _ addresses: HostAddresses, _ access: ServerAccess = .plain,
    images: [ImageReference] = []
  ) {
    self.access = access
    kept = Set(images.map(\.registry)).subtracting(configuration.registry.stripped)
    own = configuration.registry.own.map { ($0, configuration.images.plainHTTP.contains($0)) }
    wantsLogin = configuration.access.wantsLogin
    registry = configuration.registry.local
    let authority = registry?.split(separator: "/").first.map(String.init)
    host = addresses.host
    server = addresses.webServer
    release = addresses.releasePath
    registryPort = configuration.registry.port
    registryIsPlain = authority.map(configuration.images.plainHTTP.contains) ?? false
  }

  /// The text with this host's addresses; comments stay as they are.
  func fill(_ text: String) -> String {
    var isChart = false
    var isOwnPrefix = false
    let given = Self.withUnqualified(
      Self.withPaths(text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)))
    let lines = EngineSettings.completed(given, kept: kept, own: own).map { line -> String in
      guard !line.drop(while: { $0 == " " }).hasPrefix("#") else {
        isChart = line.hasPrefix("# Helm charts")
        return access.isTLS ? line.replacing("speaks plain HTTP", with: "speaks TLS") : line
      }
      if line.hasPrefix("registry_host:") { return "registry_host: \"\(registryAddress)\"" }
      if let own = packageLine(line) { return own }
      if line.contains("prefix:") { isOwnPrefix = line.contains("{{ registry_host }}") }
      var filled = line
      if let other = otherRegistry {
        filled = forOther(other, line: filled, isOwnPrefix)
      } else if access.isTLS {
        filled = overTLS(filled)
      }
      if isChart, access.isTLS, wantsLogin { filled = Self.chartWithLogin(filled) }
      return filled.replacing("http://YOUR_HOST", with: server).replacing("YOUR_HOST", with: host)
    }
    return lines.joined(separator: "\n") + accessLines
  }

  /// A line that says where packages are, for this release's own: those below `/debs` are of whatever bundle came last, and
  /// may be signed with a key that nodes of this release do not know. `nil` for any other line.
  private func packageLine(_ line: String) -> String? {
    for (name, folder) in [("yum_repo", "rpms"), ("ubuntu_repo", "debs"), ("debian_repo", "debs")]
    where line == "\(name): \"{{ http_server }}/\(folder)\"" {
      return "\(name): \"{{ http_server }}\(release)/\(folder)\""
    }
    return nil
  }

  /// The lines as they are written now: bundles of earlier versions say nothing of paths in the mirrors of containerd.
  private static func withPaths(_ lines: [String]) -> [String] {
    guard !lines.contains(where: { $0.contains("override_path:") }) else { return lines }
    return lines.flatMap { line in
      line.hasPrefix("        capabilities: ") ? [line, "        override_path: false"] : [line]
    }
  }

  /// The lines as they are written now: bundles of earlier versions do not say of CRI-O's registries whether names without a
  /// host are looked for there, and kubespray's role (`cri-o/templates/unqualified.conf.j2`) stops at such an entry.
  private static func withUnqualified(_ lines: [String]) -> [String] {
    guard !lines.contains(where: { $0.hasPrefix("    unqualified: ") }) else { return lines }
    return lines.flatMap { $0.hasPrefix("    insecure: ") ? [$0, "    unqualified: false"] : [$0] }
  }

  /// The login as Ansible reads it; `nil` when none is wanted.
  var loginText: String? {
    access.login.map {
      """
      # The login of the bundle's web server and registry. Keep it where offline.yml is, readable to you alone.
      offline_user: "\($0.user)"
      offline_password: "\($0.password)"

      """
    }
  }

  /// A line about the bundle's registry, which speaks TLS, in the words of that of a plain one.
  ///
  /// The variable of kubespray for logins of containerd counts only before containerd 2; a field of the request does
  /// always (kubespray, `container-engine/containerd/templates`).
  private func overTLS(_ line: String) -> String {
    let margin = String(line.prefix { $0 == " " })
    var trust = ["skip_verify: false", "ca: \"\(ServerAccess.authorityPlace)\""]
    if wantsLogin {
      trust.append(
        "header: {Authorization: \"Basic {{ (offline_user ~ ':' ~ offline_password) | b64encode }}\"}")
    }
    return line.replacing("http://{{ registry_host }}", with: "https://{{ registry_host }}")
      .replacing("skip_verify: true", with: trust.joined(separator: "\n\(margin)"))
      .replacing("insecure: true", with: "insecure: false")
      .replacing("[\"{{ registry_host }}\"]", with: "[]")
  }

  /// A line with the address of a chart repository: Helm reads no file of logins, so they stand in the address.
  private static func chartWithLogin(_ line: String) -> String {
    line.replacing(
      "{{ files_repo }}",
      with: "{{ files_repo | replace('://', '://' ~ offline_user ~ ':' ~ offline_password ~ '@', 1) }}")
  }

  /// What the playbook and the container engines need to know beside the addresses.
  private var accessLines: String {
    guard access.isTLS, let authority = access.authority else { return "" }
    let certificate = String(decoding: authority, as: UTF8.self).split(separator: "\n").map { "  \($0)\n" }
    var text = """

      # The authority by which nodes believe the bundle's servers; the playbook offline-repo.yml brings it to them.
      offline_ca: |
      \(certificate.joined())
      """
    guard wantsLogin else { return text }
    text += """

      # The login is in \(Self.loginFile), beside this file.
      offline_login: true

      """
    guard otherRegistry == nil else { return text }
    return text + """
      crio_registry_auth:
        - registry: "{{ registry_host }}"
          username: "{{ offline_user }}"
          password: "{{ offline_password }}"

      """
  }

  /// The registry as nodes reach it.
  var registryAddress: String { otherRegistry ?? "\(host):\(registryPort)" }

  /// A registry that is not on this host: "localhost" would be another machine for each node.
  private var otherRegistry: String? {
    guard let registry, let first = registry.split(separator: "/").first else { return nil }
    let name = first.split(separator: ":").first.map(String.init) ?? ""
    guard name == "localhost" || name.hasPrefix("127.") || first.hasPrefix("[::1]") else { return registry }
    let rest = registry.dropFirst(first.hasPrefix("[::1]") ? 5 : name.count)
    let address = host + (rest.hasPrefix(":") ? "" : ":80") + rest
    // The bundle's own registry by another name.
    return address == "\(host):\(registryPort)" ? nil : address
  }

  /// Container engines know a registry by its host alone, and check TLS unless there is none.
  ///
  /// Images lie below the path that it may have, so what stands for a public registry has that too: containerd puts it
  /// between its API and the image's name (containerd's docs/hosts.md, `override_path`). Docker cannot say it at all. The
  /// registry's own images have the path in their names.
  private func forOther(_ other: String, line: String, _ isOwnPrefix: Bool) -> String {
    let authority = other.split(separator: "/").first.map(String.init) ?? other
    let path = isOwnPrefix ? "" : other.dropFirst(authority.count)
    let isOurs = authority.hasPrefix(host + ":")
    let scheme = registryIsPlain || isOurs ? "http" : "https"
    return line.replacing("prefix: \"{{ registry_host }}\"", with: "prefix: \"\(authority)\"")
      .replacing(
        "[\"http://{{ registry_host }}\"]", with: other == authority ? "[\"\(scheme)://\(authority)\"]" : "[]"
      )
      .replacing("\"http://{{ registry_host }}/v2/", with: "\"\(scheme)://\(authority)/v2\(path)/")
      .replacing(
        "\"http://{{ registry_host }}\"",
        with: "\"\(scheme)://\(authority)\(path.isEmpty ? "" : "/v2\(path)")\""
      )
      .replacing("override_path: false", with: "override_path: \(!path.isEmpty)")
      .replacing("skip_verify: true", with: "skip_verify: \(scheme == "http")")
      .replacing(
        "location: \"{{ registry_host }}\"",
        with: isOwnPrefix ? "location: \"\(authority)\"" : "location: \"{{ registry_host }}\""
      )
      .replacing("insecure: true", with: "insecure: \(scheme == "http")")
      .replacing("[\"{{ registry_host }}\"]", with: scheme == "http" ? "[\"\(authority)\"]" : "[]")
  }
}
