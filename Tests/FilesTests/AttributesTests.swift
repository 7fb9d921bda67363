import Dispatch
import Files
import Glibc
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Copies with everything that a file is made of.
@Suite(.timeLimit(.minutes(10))) struct AttributesTests {
  /// Whether the disk of temporary files has attributes of users; what cannot be tried is reported as skipped.
  static let hasAttributes: Bool = {
    guard let folder = try? TemporaryFolder(), (try? folder.write("x", to: "file")) != nil else {
      return false
    }
    let wanted = ExtendedAttributes(["user.test": [1]])
    try? wanted.apply(to: folder.path.appending("file"))
    return (try? ExtendedAttributes(folder.path.appending("file"))) == wanted
  }()

  /// user::rw-, user:1234:r--, group::---, mask::r--, other::--- (acl(5); the layout is that of linux/posix_acl_xattr.h).
  static let list: [UInt8] =
    [2, 0, 0, 0] + entry(1, 6) + entry(2, 4, 1234) + entry(4, 0) + entry(0x10, 4) + entry(0x20, 0)

  private static func entry(_ tag: UInt8, _ permissions: UInt8, _ id: UInt32 = .max) -> [UInt8] {
    [tag, 0, permissions, 0] + (0..<4).map { UInt8(truncatingIfNeeded: id >> ($0 * 8)) }
  }

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> FilePath { folder.path.appending(name) }

  @Test("attributes and ACLs go with a copy", .enabled(if: hasAttributes, "the disk has no attributes"))
  func attributes() throws {
    try folder.write("x", to: "file")
    let wanted = ExtendedAttributes([
      "user.one": [], "user.two": Array(repeating: 7, count: 500), "system.posix_acl_access": Self.list,
    ])
    try wanted.apply(to: path("file"))
    #expect(try FileInfo(path("file")).permissions == [.ownerReadWrite, .groupRead])
    try copyWithAttributes(path("file"), to: path("copy"))
    #expect(try ExtendedAttributes(path("copy")) == wanted)
    #expect(try FileInfo(path("copy")).permissions == [.ownerReadWrite, .groupRead])
    #expect(folder.text("copy") == "x")
  }

  @Test(
    "a copy does not keep what it inherits of its folder",
    .enabled(if: hasAttributes, "the disk has no attributes")
  )
  func inherited() throws {
    try folder.write("x", to: "file")
    try createDirectories(path("inner"))
    try ExtendedAttributes(["system.posix_acl_default": Self.list]).apply(to: path("inner"))
    try copyWithAttributes(path("file"), to: path("inner").appending("copy"))
    #expect(try ExtendedAttributes(path("inner").appending("copy")).values.isEmpty)
    #expect(try FileInfo(path("inner").appending("copy")).permissions == .publicFile)
  }

  @Test(
    "capabilities of a program survive the change of its owner",
    .enabled(if: hasAttributes && getuid() == 0, "only root gives capabilities"))
  func capabilities() throws {
    try folder.write("x", to: "program")
    try setOwner(12, group: 34, of: path("program"))
    // cap_net_bind_service, effective (capability.h, revision 2).
    let wanted: [UInt8] = [1, 0, 0, 2, 0, 4, 0, 0] + Array(repeating: 0, count: 12)
    try ExtendedAttributes(["security.capability": wanted]).apply(to: path("program"))
    try copyWithAttributes(path("program"), to: path("copy"))
    #expect(try ExtendedAttributes(path("copy")).values["security.capability"] == wanted)
    #expect(try FileInfo(path("copy")).owner == 12)
  }

  @Test("what only its owner may read is never readable by others while it is copied")
  func neverWider() throws {
    let size = 24 << 20
    try writeAtomically([UInt8](repeating: 1, count: size), to: path("secret"), permissions: .ownerReadWrite)
    let isDone = Mutex(false)
    let wider = Mutex<Set<String>>([])
    let watching = DispatchGroup()
    let place = folder.path
    DispatchQueue.global().async(group: watching) {
      while !isDone.withLock({ $0 }) {
        for name in (try? listFolder(place)) ?? [] {
          guard let info = try? FileInfo(place.appending(name)) else { continue }
          if info.permissions.rawValue & 0o077 != 0 { wider.withLock { _ = $0.insert(name) } }
        }
      }
    }
    try withFileMask(0) {
      for _ in 0..<3 { try copyWithAttributes(path("secret"), to: path("copy")) }
    }
    isDone.withLock { $0 = true }
    watching.wait()
    #expect(wider.withLock { $0 } == [])
    #expect(try FileInfo(path("copy")).permissions == .ownerReadWrite)
  }

  @Test("a link in place of the source is not followed")
  func link() throws {
    try folder.write("x", to: "file")
    try folder.link("file", at: "link")
    #expect(throws: FileError.self) { try copyWithAttributes(path("link"), to: path("copy")) }
    #expect(folder.names == ["file", "link"])
  }
}
