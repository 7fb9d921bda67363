import Glibc

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

  /// Whether a machine has given itself an address because nobody else did (RFC 3927).
  public static func isLinkLocal(_ address: String) -> Bool { address.hasPrefix("169.254.") }

  /// Bridges and tunnels of container runtimes, which no other machine reaches.
  private static func isVirtual(_ name: String) -> Bool {
    [
      "docker", "cni", "veth", "virbr", "cali", "flannel", "br-", "nerdctl", "podman", "kube-",
      "nodelocaldns", "tunl",
    ]
    .contains { name.hasPrefix($0) }
  }

  /// Those of this machine.
  public static func current() -> NetworkInterfaces {
    NetworkInterfaces(routed: routedAddress(), addresses: allAddresses())
  }

  /// Connecting a datagram socket asks the routing table and sends nothing. 192.0.2.1 is for documentation
  /// (RFC 5737): only a default route leads there.
  private static func routedAddress() -> String? {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var far = sockaddr_in()
    far.sin_family = sa_family_t(AF_INET)
    far.sin_port = in_port_t(9).bigEndian
    inet_pton(AF_INET, "192.0.2.1", &far.sin_addr)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isConnected = withUnsafePointer(to: far) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) == 0 }
    }
    guard isConnected else { return nil }
    var near = sockaddr_in()
    var length = size
    let isKnown = withUnsafeMutablePointer(to: &near) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
    }
    guard isKnown else { return nil }
    let text = withUnsafePointer(to: near) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Self.text(of: $0) }
    }
    return text.flatMap { $0.hasPrefix("127.") || $0 == "0.0.0.0" ? nil : $0 }
  }

  private static func allAddresses() -> [Address] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var found: [Address] = []
    var next = list
    while let entry = next {
      next = entry.pointee.ifa_next
      let flags = entry.pointee.ifa_flags
      guard let address = entry.pointee.ifa_addr, flags & UInt32(IFF_UP) != 0,
        flags & UInt32(IFF_LOOPBACK) == 0, let text = text(of: address)
      else { continue }
      found.append(Address(interface: String(cString: entry.pointee.ifa_name), text: text))
    }
    return found.filter { !$0.isIPv6 } + found.filter(\.isIPv6)
  }

  /// The address as text; `nil` for other families and for link-local IPv6, which needs a zone.
  private static func text(of address: UnsafePointer<sockaddr>) -> String? {
    let family = Int32(address.pointee.sa_family)
    guard family == AF_INET || family == AF_INET6 else { return nil }
    let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
    var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    guard
      getnameinfo(
        address, socklen_t(size), &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST) == 0
    else { return nil }
    let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.contains("%") ? nil : text
  }
}
