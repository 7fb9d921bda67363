import Files
import Settings
import SystemPackage

/// Who listens on a TCP port of this machine.
public struct PortOwner: Sendable, Equatable {
  /// The process; `nil` when it cannot be seen, which takes root.
  public let process: Int32?
  /// Its name.
  let name: String?

  /// For people: `nginx (process 123)`.
  public var description: String {
    guard let process else { return "another process" }
    return "\(name ?? "a process") (process \(process))"
  }

  /// The owner of a port; `nil` when nobody listens there.
  ///
  /// - Parameters:
  ///   - port: The port.
  ///   - bind: The address to listen on; `nil` means all.
  ///   - proc: The folder `/proc`.
  public static func find(port: Int, bind: String? = nil, proc: FilePath = "/proc") -> PortOwner? {
    let sockets = ["net/tcp", "net/tcp6"].flatMap {
      listening(on: port, bind, in: proc.appending(FilePath($0).components))
    }
    guard let inode = sockets.first else { return nil }
    return owner(of: inode, proc) ?? PortOwner(process: nil, name: nil)
  }

  /// The inodes of listening sockets (proc(5), /proc/net/tcp): state 0A, addresses as hexadecimal words in the
  /// order of bytes of the machine.
  private static func listening(on port: Int, _ bind: String?, in file: FilePath) -> [String] {
    lines(file).dropFirst().compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count > 9, fields[3] == "0A" else { return nil }
      let local = fields[1].split(separator: ":")
      guard local.count == 2, Int(local[1], radix: 16) == port else { return nil }
      if let bind, let wanted = words(bind), local[0] != wanted, !local[0].allSatisfy({ $0 == "0" }) {
        return nil
      }
      return String(fields[9])
    }
  }

  /// An IPv4 or IPv6 address as /proc/net writes it.
  private static func words(_ address: String) -> String? {
    guard let bytes = ipAddressBytes(address) else { return nil }
    return stride(from: 0, to: bytes.count, by: 4).map { start in
      let word = bytes[start..<start + 4].withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
      let text = String(word, radix: 16, uppercase: true)
      return String(repeating: "0", count: 8 - text.count) + text
    }.joined()
  }

  private static func owner(of inode: String, _ proc: FilePath) -> PortOwner? {
    let wanted = "socket:[\(inode)]"
    for name in (try? listFolder(proc)) ?? [] {
      guard let process = Int32(name) else { continue }
      let folder = proc.appending(name)
      let descriptors = (try? listFolder(folder.appending("fd"))) ?? []
      guard
        descriptors.contains(where: {
          (try? linkTarget(folder.appending("fd").appending($0))) == wanted
        })
      else { continue }
      return PortOwner(process: process, name: lines(folder.appending("comm")).first)
    }
    return nil
  }

  private static func lines(_ file: FilePath) -> [String] {
    ((try? readBytes(file)) ?? []).split(separator: UInt8(ascii: "\n")).map {
      String(decoding: $0, as: UTF8.self)
    }
  }
}
