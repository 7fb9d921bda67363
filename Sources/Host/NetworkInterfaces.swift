/// The addresses by which other machines can reach this host.
public struct NetworkInterfaces: Sendable, Equatable {
  /// An address of an interface.
  public struct Address: Sendable, Equatable {
    /// The interface, such as `eth0`.
    public let interface: String
    /// The address as text, without a zone.
    public let text: String

    /// An address.
    public init(interface: String, text: String) {
      self.interface = interface
      self.text = text
    }

    /// Whether it is an IPv6 address.
    public var isIPv6: Bool { text.contains(":") }
  }

  /// The address from which packets to far hosts would be sent; `nil` without such a route.
  public let routed: String?
  /// Every address of an interface that is up and not loopback, IPv4 first.
  public let addresses: [Address]

  /// Interfaces.
  public init(routed: String?, addresses: [Address]) {
    self.routed = routed
    self.addresses = addresses
  }

  /// The address to give to other machines.
  public enum Choice: Sendable, Equatable {
    /// The setting says so.
    case given(String)
    /// The default route starts there.
    case routed(String)
    /// It is the first of those that this host has; the others are named.
    case first(String, others: [String])
    /// The host has no address but loopback.
    case loopback

    /// The address, an IPv6 address without brackets.
    public var address: String {
      switch self {
      case .given(let text), .routed(let text), .first(let text, _): text
      case .loopback: "127.0.0.1"
      }
    }
  }

  /// Chooses: what was given, else where the default route starts, else the first address, else loopback.
  public func choose(given: String?) -> Choice {
    if let given { return .given(given) }
    if let routed { return .routed(routed) }
    let found = addresses.filter { !Self.isVirtual($0.interface) }.map(\.text)
    let candidates = found.filter { !Self.isLinkLocal($0) } + found.filter(Self.isLinkLocal)
    guard let first = candidates.first else { return .loopback }
    return .first(first, others: Array(candidates.dropFirst()))
  }

  /// Whether a machine has given itself an address because nobody else did (RFC 3927; RFC 4291, section 2.5.6).
  public static func isLinkLocal(_ address: String) -> Bool {
    address.hasPrefix("169.254.") || address.lowercased().contains(/^fe[89ab][0-9a-f]:/)
  }

  /// Bridges and tunnels of container runtimes, which no other machine reaches.
  private static func isVirtual(_ name: String) -> Bool {
    [
      "docker", "cni", "veth", "virbr", "cali", "flannel", "br-", "nerdctl", "podman", "kube-",
      "nodelocaldns", "tunl",
    ]
    .contains { name.hasPrefix($0) }
  }
}
