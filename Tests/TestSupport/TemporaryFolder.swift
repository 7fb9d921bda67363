import Files
import Glibc
import SystemPackage

/// A fresh folder that is removed with everything in it when the test is over.
public final class TemporaryFolder: Sendable {
  /// Where it is.
  public let path: FilePath

  /// Makes the folder.
  ///
  /// - Parameters:
  ///   - name: What its name begins with.
  ///   - isOnDisk: False for one in memory, where the system has such a place: for tests that flush very often.
  /// - Throws: `FileError`.
  public init(named name: String = "kubespray-offline-test", isOnDisk: Bool = true) throws {
    let memory: FilePath = "/dev/shm"
    let hasMemory = !isOnDisk && access(memory.string, W_OK) == 0
    path = try createTemporaryFolder(in: hasMemory ? memory : systemTemporaryFolder, named: name)
  }

  deinit { try? removeTree(path) }

  /// The text of a file; `nil` when it cannot be read.
  public func text(_ name: String) -> String? { try? readText(path.pushing(FilePath(name))) }

  /// The names in the folder, in order of bytes; none when it cannot be read.
  public var names: [String] { (try? listFolder(path)) ?? [] }

  /// Writes a file and the folders above it.
  ///
  /// - Throws: `FileError`.
  public func write(_ text: String, to name: String) throws {
    try put(text, at: path.pushing(FilePath(name)))
  }

  /// Adds text to the end of a file.
  ///
  /// - Throws: `FileError`, or `Errno`.
  public func append(_ text: String, to name: String) throws {
    let file = try openFile(path.pushing(FilePath(name)), .writeOnly, options: .append)
    try file.closeAfter { _ = try file.writeAll(text.utf8) }
  }

  /// Removes a file, or a folder with everything in it.
  ///
  /// - Throws: `FileError`.
  public func remove(_ name: String) throws { try removeTree(path.pushing(FilePath(name))) }

  /// Makes a symbolic link.
  ///
  /// - Throws: `FileError`.
  public func link(_ target: String, at name: String) throws {
    try createLink(path.pushing(FilePath(name)), to: target)
  }

  /// Gives a file a time of modification, in seconds since 1970.
  ///
  /// - Throws: `Errno`.
  public func touch(_ name: String, _ seconds: Int) throws {
    let time = timespec(tv_sec: seconds, tv_nsec: 0)
    guard utimensat(AT_FDCWD, path.pushing(FilePath(name)).string, [time, time], 0) == 0 else {
      throw Errno(rawValue: errno)
    }
  }
}

/// Gives `body` a folder for one test, removed after it.
///
/// - Parameter isOnDisk: See ``TemporaryFolder/init(named:isOnDisk:)``.
/// - Throws: `FileError`, or whatever `body` throws.
public func withFolder(isOnDisk: Bool = true, _ body: (FilePath) throws -> Void) throws {
  let folder = try TemporaryFolder(isOnDisk: isOnDisk)
  try withExtendedLifetime(folder) { try body(folder.path) }
}

/// Gives `body` a folder for one test, removed after it.
///
/// - Throws: `FileError`, or whatever `body` throws.
public func withFolder(
  isolation: isolated (any Actor)? = #isolation, _ body: (FilePath) async throws -> Void
) async throws {
  let folder = try TemporaryFolder()
  defer { withExtendedLifetime(folder) {} }
  try await body(folder.path)
}
