import Host
import Settings

/// By which addresses the servers of a host are reached: by other machines, and by the host itself.
public struct HostAddresses: Sendable {
  private let choice: NetworkInterfaces.Choice
  private let configuration: Configuration

  /// The addresses that these settings make of these interfaces.
  init(_ interfaces: NetworkInterfaces, _ configuration: Configuration) {
    choice = interfaces.choose(given: configuration.target.address)
    self.configuration = configuration
  }

  /// How other machines reach the host.
  public var address: String { choice.address }

  /// How other machines reach the host, as the host of a URL: an IPv6 address in brackets.
  public var host: String { choice.address.contains(":") ? "[\(choice.address)]" : choice.address }

  /// What to say when ``host`` is a guess that may be wrong; `nil` when it is not.
  public var warning: String? {
    switch choice {
    case .routed(let address) where NetworkInterfaces.isLinkLocal(address),
      .first(let address, _) where NetworkInterfaces.isLinkLocal(address):
      "\(address) is an address that this machine gave itself because no DHCP server answered: other nodes may not reach "
        + "it, and it may change. Give the machine an address of its network and run the command again, or name one: --address"
    case .given(let address): Self.doubt(address)
    case .routed: nil
    case .first(_, let others) where others.isEmpty: nil
    case .first(let address, let others):
      "this machine has several addresses and no default route: \(address) is taken, not "
        + "\(others.joined(separator: " or ")). Name the right one: --address"
    case .loopback:
      "this machine has no address but loopback, so no other node can reach it as \(host). When it has one, run the "
        + "command again, or name one: --address"
    }
  }

  /// Why other machines may not reach this one by an address that was named; `nil` when nothing is known against it.
  private static func doubt(_ address: String) -> String? {
    let text = address.lowercased()
    return switch text {
    case "0.0.0.0", "::":
      "\(address) is where servers listen, and no address by which another machine reaches this one. Name one that it has: "
        + "--address"
    case "localhost", "::1": loopback(address)
    case _ where text.hasPrefix("127."): loopback(address)
    case _ where NetworkInterfaces.isLinkLocal(text):
      "\(address) counts on one link only, and other nodes may not reach it. Name an address of the network: --address"
    default: nil
    }
  }

  private static func loopback(_ address: String) -> String {
    "\(address) is every machine's name for itself: no other node reaches this one as that. Name an address of the network: "
      + "--address"
  }

  /// The web server for other machines: `http://HOST` or `https://HOST`, with the port unless it is the usual one.
  var webServer: String { url(host) }

  /// The web server for the host itself.
  var localWebServer: String { url(reachable(configuration.nginx.bind)) }

  /// The web server as the host's own package managers are to know it: by the same address as on all other machines,
  /// unless it listens on another one.
  var packageServer: String { configuration.nginx.bind == nil ? webServer : localWebServer }

  /// The path of this release on the web server; see ``ReleaseAddress``.
  var releasePath: String { ReleaseAddress.path(of: configuration.kubespray.version) }

  /// The bundle's own registry for other machines: `HOST:PORT`.
  var registryHost: String { "\(host):\(configuration.registry.port)" }

  /// The bundle's own registry for the host itself: `HOST:PORT`.
  var localRegistryHost: String {
    "\(reachable(configuration.registry.bind)):\(configuration.registry.port)"
  }

  /// The bundle's own registry for the host itself, with `http://` or `https://` in front.
  var localRegistry: String {
    ServerAccess.scheme(isTLS: configuration.access.isTLS) + localRegistryHost
  }

  private func url(_ host: String) -> String {
    let (isTLS, port) = (configuration.access.isTLS, configuration.webServerPort)
    let address = ServerAccess.scheme(isTLS: isTLS) + host
    return port == (isTLS ? 443 : 80) ? address : "\(address):\(port)"
  }

  /// Where a server that listens on an address is reached from the same host. A certificate of one's own need not be for
  /// anything but the name that other machines use.
  private func reachable(_ bind: String?) -> String {
    guard !configuration.access.isTLS || configuration.access.certificate == nil else { return host }
    guard let bind, bind != "0.0.0.0", bind != "::" else { return "127.0.0.1" }
    return bind.contains(":") ? "[\(bind)]" : bind
  }
}
