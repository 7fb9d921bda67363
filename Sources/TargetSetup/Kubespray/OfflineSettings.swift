import FoundationEssentials
import Settings

/// Fills the bundle's offline.yml with the addresses of this host.
struct OfflineSettings: Sendable {
  /// The host in URLs: a name, an IPv4 address, or an IPv6 address in brackets.
  let host: String
  /// The web server's address without a slash at the end.
  let server: String
  /// The port of the bundle's own registry.
  let registryPort: Int
  /// Another registry in its place: `HOST[:PORT][/PATH]`.
  let registry: String?
  /// Whether that other registry speaks plain HTTP.
  let registryIsPlain: Bool

  /// What the bundle's offline.yml has to say of a host with these settings and addresses.
  init(_ configuration: Configuration, _ addresses: HostAddresses) {
    registry = configuration.registry.local
    let authority = registry?.split(separator: "/").first.map(String.init)
    host = addresses.host
    server = addresses.webServer
    registryPort = configuration.registry.port
    registryIsPlain = authority.map(configuration.images.plainHTTP.contains) ?? false
  }

  /// The text with this host's addresses; comments stay as they are.
  func fill(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
      guard !line.drop(while: { $0 == " " }).hasPrefix("#") else { return String(line) }
      if line.hasPrefix("registry_host:") { return "registry_host: \"\(registryAddress)\"" }
      var filled = String(line)
      if let other = otherRegistry {
        filled = forOther(other, line: filled)
      }
      return filled.replacing("http://YOUR_HOST", with: server).replacing("YOUR_HOST", with: host)
    }
    return lines.joined(separator: "\n")
  }

  /// The registry as nodes reach it.
  var registryAddress: String { otherRegistry ?? "\(host):\(registryPort)" }

  /// A registry that is not on this host: "localhost" would be another machine for each node.
  private var otherRegistry: String? {
    guard let registry, let first = registry.split(separator: "/").first else { return nil }
    let name = first.split(separator: ":").first.map(String.init) ?? ""
    guard name == "localhost" || name.hasPrefix("127.") || first.hasPrefix("[::1]") else { return registry }
    let rest = registry.dropFirst(first.hasPrefix("[::1]") ? 5 : name.count)
    return host + (rest.hasPrefix(":") ? "" : ":80") + rest
  }

  /// Container engines know a registry by its host alone, and check TLS unless there is none.
  private func forOther(_ other: String, line: String) -> String {
    let authority = other.split(separator: "/").first.map(String.init) ?? other
    let isOurs = authority.hasPrefix(host + ":")
    let scheme = registryIsPlain || isOurs ? "http" : "https"
    return line.replacing("prefix: \"{{ registry_host }}\"", with: "prefix: \"\(authority)\"")
      .replacing("host: \"http://{{ registry_host }}\"", with: "host: \"\(scheme)://\(authority)\"")
      .replacing("[\"http://{{ registry_host }}\"]", with: "[\"\(scheme)://\(authority)\"]")
      .replacing("skip_verify: true", with: "skip_verify: \(scheme == "http")")
      .replacing("insecure: true", with: "insecure: \(scheme == "http")")
      .replacing("[\"{{ registry_host }}\"]", with: scheme == "http" ? "[\"\(authority)\"]" : "[]")
  }
}
