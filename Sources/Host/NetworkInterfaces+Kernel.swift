import Dispatch
import Glibc
import SystemPackage

// What the kernel is asked of the network: the addresses of this machine, and datagrams.

extension NetworkInterfaces {
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
  fileprivate static func text(of address: UnsafePointer<sockaddr>) -> String? {
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

/// A UDP socket on which this machine answers.
public struct DatagramSocket: Sendable {
  /// More than a datagram of the protocols that are answered here.
  private static let longest = 4096

  private let descriptor: Int32

  /// Listens.
  ///
  /// - Throws: `Errno`: the address is not of this machine, the port is taken, or only root may have it.
  public init(address: String, port: UInt16) throws(Errno) {
    var wanted = addrinfo()
    wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
    wanted.ai_socktype = Int32(SOCK_DGRAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, "\(port)", &wanted, &list) == 0, let found = list?.pointee else {
      throw Errno.addressNotAvailable
    }
    defer { freeaddrinfo(list) }
    descriptor = socket(found.ai_family, found.ai_socktype | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    guard bind(descriptor, found.ai_addr, found.ai_addrlen) == 0 else {
      let error = Errno(rawValue: errno)
      close(descriptor)
      throw error
    }
  }

  /// Answers what comes until the task is cancelled, and closes the socket.
  ///
  /// - Parameter answer: Makes the answer to a datagram of a sender; `nil` for none.
  public func serve(_ answer: @escaping @Sendable ([UInt8], String) -> [UInt8]?) async {
    // Dispatch's own objects may be used by any thread; only their protocol does not say so.
    nonisolated(unsafe) let source = DispatchSource.makeReadSource(
      fileDescriptor: descriptor, queue: DispatchQueue(label: "datagrams"))
    source.setEventHandler { while answerOne(answer) {} }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        source.setCancelHandler {
          close(descriptor)
          continuation.resume()
        }
        source.activate()
      }
    } onCancel: {
      source.cancel()
    }
  }

  /// - Returns: Whether there was a datagram.
  private func answerOne(_ answer: ([UInt8], String) -> [UInt8]?) -> Bool {
    var datagram = [UInt8](repeating: 0, count: Self.longest)
    var sender = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &sender) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        let count = recvfrom(descriptor, &datagram, datagram.count, 0, address, &length)
        guard count >= 0 else { return false }
        let name = NetworkInterfaces.text(of: address) ?? "?"
        if let reply = answer(Array(datagram.prefix(count)), name) {
          // Who asks again is answered again.
          _ = sendto(descriptor, reply, reply.count, 0, address, length)
        }
        return true
      }
    }
  }
}
