import Files
import Host
import Settings
import SystemPackage

extension Machine {
  /// Name servers of the internet that a closed network does not reach.
  private static let publicNameServers: Set<String> = [
    "8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222", "208.67.220.220",
  ]

  /// Whether names can be looked up.
  ///
  /// - Parameter needsInternet: Whether names of the internet are needed.
  public func names(needsInternet: Bool) -> Finding {
    let known = knownHosts()
    guard known.contains("localhost") else {
      return .error(
        .names, "/etc/hosts does not know localhost", next: "echo '127.0.0.1 localhost' >> /etc/hosts")
    }
    let servers = nameServers()
    if needsInternet, servers.isEmpty {
      let detail = "/etc/resolv.conf names no name server"
      let next = "echo 'nameserver ADDRESS' >> /etc/resolv.conf"
      // A proxy looks names up by itself.
      return hasProxy ? .warning(.names, detail, next: next) : .error(.names, detail, next: next)
    }
    if !needsInternet, let far = servers.first(where: Self.publicNameServers.contains) {
      return .warning(
        .names,
        "/etc/resolv.conf names \(far), a server of the internet: each look-up waits until it gives up",
        next: "sed -i '/\(far)/d' /etc/resolv.conf")
    }
    let name = (text("/proc/sys/kernel/hostname") ?? "").filter { !$0.isWhitespace }
    let isLookedUp = lines("/etc/nsswitch.conf").contains {
      $0.hasPrefix("hosts:") && ($0.contains("myhostname") || $0.contains("resolve"))
    }
    if !name.isEmpty, !isLookedUp, !known.contains(name), !known.contains(where: { $0.hasPrefix(name + ".") })
    {
      return .warning(
        .names, "this machine does not know its own name, \(name): sudo and others wait for a name server",
        next: "echo '127.0.1.1 \(name)' >> /etc/hosts")
    }
    return .ok(.names, servers.isEmpty ? "no name server" : "asked of \(servers.joined(separator: ", "))")
  }

  /// The names that /etc/hosts has.
  private func knownHosts() -> Set<String> {
    var known: Set<String> = []
    for line in lines("/etc/hosts") {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      known.formUnion(words.dropFirst().map(String.init))
    }
    return known
  }

  private func nameServers() -> [String] {
    lines("/etc/resolv.conf").compactMap { line in
      let words = line.split(whereSeparator: \.isWhitespace)
      return words.count > 1 && words[0] == "nameserver" ? String(words[1]) : nil
    }
  }

  private var hasProxy: Bool {
    ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"].contains { variable($0) != nil }
  }

  /// Whether the proxy is used for what it is for.
  ///
  /// - Parameters:
  ///   - isNeeded: Whether the proxy is to reach the internet.
  ///   - own: Addresses of this machine that are not to be asked through it.
  public func proxy(isNeeded: Bool, own: [String] = []) -> Finding {
    let (http, https) = (
      variable("http_proxy") ?? variable("HTTP_PROXY"), variable("https_proxy") ?? variable("HTTPS_PROXY")
    )
    if isNeeded, let http, https == nil {
      return .warning(
        .proxy, "http_proxy is set and https_proxy is not: nearly all addresses are https",
        next: "export https_proxy=\(maskingLogin(http))")
    }
    guard http != nil || https != nil else { return .ok(.proxy, "none") }
    let except = (variable("no_proxy") ?? variable("NO_PROXY") ?? "").split(separator: ",").map {
      $0.filter { !$0.isWhitespace }
    }
    let missing = own.filter { address in
      !except.contains { $0 == "*" || $0 == address || covers($0, address) }
    }
    if !missing.isEmpty {
      let words = (except + missing).joined(separator: ",")
      return .warning(
        .proxy,
        "no_proxy lacks \(missing.joined(separator: " and ")): this machine's own servers are asked "
          + "through the proxy", next: "export no_proxy=\(words)")
    }
    return .ok(.proxy, maskingLogin(https ?? http ?? ""))
  }

  /// Whether an entry such as `10.0.0.0/8` holds an address.
  private func covers(_ entry: String, _ address: String) -> Bool {
    let parts = entry.split(separator: "/")
    guard parts.count == 2, let bits = Int(parts[1]), let net = ipAddressBytes(String(parts[0])),
      let bytes = ipAddressBytes(address), net.count == bytes.count, (0...net.count * 8).contains(bits)
    else { return false }
    return (0..<bits).allSatisfy { bit in
      let mask = UInt8(0x80) >> UInt8(bit % 8)
      return net[bit / 8] & mask == bytes[bit / 8] & mask
    }
  }

  /// A proxy without the login in it.
  private func maskingLogin(_ proxy: String) -> String {
    guard let at = proxy.lastIndex(of: "@") else { return proxy }
    let scheme = proxy.firstRange(of: "://").map { proxy[..<$0.upperBound] } ?? ""
    return scheme + "***" + proxy[at...]
  }

  /// Whether certificates of servers can be checked.
  ///
  /// - Parameter isNeeded: Whether servers of the internet are asked.
  public func authorities(isNeeded: Bool) -> Finding {
    for name in ["CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
      guard let file = variable(name) else { continue }
      guard let text = text(FilePath(file)) else {
        return .error(.authorities, "\(name) names \(file), which cannot be read", next: "unset \(name)")
      }
      guard text.contains("BEGIN CERTIFICATE") || text.contains("BEGIN TRUSTED CERTIFICATE") else {
        return .error(
          .authorities, "\(name) names \(file), which has no certificate in the form PEM",
          next: "openssl x509 -inform der -in \(file) -out ca.pem && export \(name)=$PWD/ca.pem")
      }
      return .ok(.authorities, "\(file), as \(name) says")
    }
    let places: [FilePath] = [
      "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
    ]
    let found = places.first { exists($0) }
    guard isNeeded else { return .ok(.authorities, found.map(\.string) ?? "none, and none is needed") }
    guard let found else {
      return .error(
        .authorities, "no certificates of authorities are installed",
        next: installing("ca-certificates", "ca-certificates"))
    }
    guard let text = text(found), text.contains("BEGIN") else {
      return .error(
        .authorities, "\(found) has no certificates in it",
        next: system?.family == .redHat ? "update-ca-trust extract" : "update-ca-certificates --fresh")
    }
    return .ok(.authorities, "\(found)")
  }

  /// Whether this machine is in a network.
  public func network() -> Finding {
    guard !interfaces.addresses.isEmpty else {
      return .error(.addresses, "no interface has an address", next: "ip address")
    }
    guard let routed = interfaces.routed else {
      return .warning(.addresses, "there is no default route", next: "ip route add default via ADDRESS")
    }
    return .ok(.addresses, routed)
  }
}
