import CFiles
import Glibc
import SystemPackage

/// The extended attributes of a file, folder or link (xattr(7)): ACLs (`system.posix_acl_access`), file capabilities
/// (`security.capability`), labels of SELinux (`security.selinux`), and what users set (`user.*`).
public struct ExtendedAttributes: Sendable, Equatable {
  /// The value of each attribute, by its name.
  public let values: [String: [UInt8]]

  /// Attributes with these values.
  public init(_ values: [String: [UInt8]]) { self.values = values }

  /// Reads the attributes of what lies at a path; links are not followed. A file system without them has none.
  ///
  /// - Throws: ``FileError``.
  public init(_ path: FilePath) throws(FileError) {
    do { values = try Holder.path(path).values } catch { throw FileError(.inspect, path, error) }
  }

  /// Reads the attributes of an open file or folder. A file system without them has none.
  ///
  /// - Throws: `Errno`.
  public init(_ descriptor: FileDescriptor) throws(Errno) { values = try Holder.opened(descriptor).values }

  /// Gives exactly these attributes to an open file or folder.
  ///
  /// A file system without attributes is not an error, and neither is a label that this process may not set.
  /// - Throws: `Errno`.
  public func apply(to descriptor: FileDescriptor) throws(Errno) { try apply(to: .opened(descriptor)) }

  /// Gives exactly these attributes to what lies at a path, a link itself included; as ``apply(to:)-(FileDescriptor)``.
  ///
  /// - Throws: ``FileError``.
  public func apply(to path: FilePath) throws(FileError) {
    do { try apply(to: .path(path)) } catch { throw FileError(.setAttributes, path, error) }
  }

  private func apply(to holder: Holder) throws(Errno) {
    // A new file inherits the default ACL of its folder, which its original need not have.
    let present = try holder.values
    for name in present.keys where values[name] == nil { holder.remove(name) }
    for (name, value) in values.sorted(by: { $0.key < $1.key }) where present[name] != value {
      guard !holder.set(name, value) else { continue }
      let code = Errno(rawValue: errno)
      guard Self.mayStay(code, name) else { throw code }
    }
  }

  /// Whether an attribute may be left out because the system does not let this process set it.
  private static func mayStay(_ code: Errno, _ name: String) -> Bool {
    if code == .notSupported || code == .noFunction { return true }
    // Labels are the policy's: a kernel may keep them from root, as it does in containers.
    let isLabel = name.hasPrefix("security.") && name != "security.capability"
    return (isLabel || geteuid() != 0) && [.notPermitted, .permissionDenied, .invalidArgument].contains(code)
  }
}

/// What has attributes: a file by its descriptor, or what lies at a path.
private enum Holder {
  case opened(FileDescriptor)
  case path(FilePath)

  var values: [String: [UInt8]] {
    get throws(Errno) {
      guard let list = try Self.read({ list($0, $1) }) else { return [:] }
      var values: [String: [UInt8]] = [:]
      for name in list.split(separator: 0).map({ String(decoding: $0, as: UTF8.self) }) {
        // `nil` when it has gone meanwhile.
        if let value = try Self.read({ get(name, $0, $1) }) { values[name] = value }
      }
      return values
    }
  }

  func set(_ name: String, _ value: [UInt8]) -> Bool {
    switch self {
    case .opened(let file): fsetxattr(file.rawValue, name, value, value.count, 0) == 0
    case .path(let path): path.withPlatformString { lsetxattr($0, name, value, value.count, 0) } == 0
    }
  }

  func remove(_ name: String) {
    switch self {
    case .opened(let file): fremovexattr(file.rawValue, name)
    case .path(let path): path.withPlatformString { _ = lremovexattr($0, name) }
    }
  }

  private func list(_ buffer: UnsafeMutableRawPointer?, _ size: Int) -> Int {
    let names = buffer?.assumingMemoryBound(to: CChar.self)
    return switch self {
    case .opened(let file): flistxattr(file.rawValue, names, size)
    case .path(let path): path.withPlatformString { llistxattr($0, names, size) }
    }
  }

  private func get(_ name: String, _ buffer: UnsafeMutableRawPointer?, _ size: Int) -> Int {
    switch self {
    case .opened(let file): fgetxattr(file.rawValue, name, buffer, size)
    case .path(let path): path.withPlatformString { lgetxattr($0, name, buffer, size) }
    }
  }

  /// Asks for a size and then for the bytes, again when they have grown meanwhile.
  ///
  /// - Returns: `nil` where there are no attributes.
  private static func read(_ call: (UnsafeMutableRawPointer?, Int) -> Int) throws(Errno) -> [UInt8]? {
    while true {
      let size = call(nil, 0)
      if size < 0 {
        let code = Errno(rawValue: errno)
        if [.notSupported, .noFunction, .noData].contains(code) { return nil }
        throw code
      }
      var bytes = [UInt8](repeating: 0, count: size)
      let count = bytes.withUnsafeMutableBytes { call($0.baseAddress, size) }
      // A buffer of no bytes asks for the size again.
      if count >= 0, count <= size { return Array(bytes[..<count]) }
      let code = Errno(rawValue: errno)
      guard count > size || code == .outOfRange else { throw code }
    }
  }
}
