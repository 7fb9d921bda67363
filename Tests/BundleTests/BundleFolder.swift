import Bundle
import Files
import FoundationEssentials
import Glibc
import Integrity
import SystemPackage

/// A folder with files, removed when the test is over.
final class BundleFolder: Sendable {
  let path: FilePath

  init() throws {
    var template = Array("/tmp/bundle-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw Errno(rawValue: errno) }
    path = FilePath(String(cString: made))
  }

  deinit { try? FileManager.default.removeItem(atPath: path.string) }

  func write(_ text: String, to name: String) throws {
    let place = path.appending(name)
    try createDirectories(place.removingLastComponent())
    try writeAtomically(text, to: place)
  }

  func text(_ name: String) -> String? {
    var bytes: [UInt8] = []
    guard (try? readFile(path.appending(name)) { bytes.append(contentsOf: $0) }) != nil else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  func append(_ text: String, to name: String) throws {
    let file = try FileDescriptor.open(path.appending(name), .writeOnly, options: .append)
    try file.closeAfter { _ = try file.writeAll(text.utf8) }
  }

  func remove(_ name: String) throws {
    try FileManager.default.removeItem(atPath: path.appending(name).string)
  }

  func link(_ target: String, at name: String) throws {
    guard symlink(target, path.appending(name).string) == 0 else { throw Errno(rawValue: errno) }
  }

  /// Gives a file a time of modification, in seconds since 1970.
  func touch(_ name: String, _ seconds: Int) throws {
    let time = timespec(tv_sec: seconds, tv_nsec: 0)
    guard utimensat(AT_FDCWD, path.appending(name).string, [time, time], 0) == 0 else {
      throw Errno(rawValue: errno)
    }
  }

  /// Writes files and gives the manifest of them.
  func manifest(of files: [String: String]) throws -> Manifest {
    for (name, text) in files { try write(text, to: name) }
    return Manifest(
      tool: "test 1", created: "2026-01-01T00:00:00Z", kubespray: "2.30.0", architecture: "amd64",
      stages: [.files],
      files: try files.map { name, text in
        ManifestFile(
          path: try BundlePath(name), size: Int64(text.utf8.count), sha256: Digest(of: Array(text.utf8)),
          url: "https://example.com/\(name)", stage: .files, verification: .tlsOnly)
      })
  }
}
