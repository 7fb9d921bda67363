import Glibc
import SystemPackage

/// The folder for temporary files: that of the environment, or `/tmp`.
public var systemTemporaryFolder: FilePath {
  guard let given = getenv("TMPDIR").map({ FilePath(platformString: $0) }), given.isAbsolute else {
    return "/tmp"
  }
  return given
}

/// Makes a folder that only this user can enter, under a name that nobody can guess.
///
/// - Parameters:
///   - parent: Where; it must exist.
///   - name: What its name begins with.
/// - Throws: ``FileError``.
public func createTemporaryFolder(
  in parent: FilePath = systemTemporaryFolder, named name: String = "kubespray-offline"
) throws(FileError) -> FilePath {
  var template = Array(parent.appending("\(name)-XXXXXX").string.utf8CString)
  guard mkdtemp(&template) != nil else { throw FileError(.createFolder, parent.appending(name)) }
  return FilePath(platformString: template)
}

/// Makes a file that only this user can read, under a name that nobody can guess.
///
/// - Returns: Its path, and the file opened for reading and writing.
/// - Throws: ``FileError``.
public func createTemporaryFile(
  in parent: FilePath = systemTemporaryFolder, named name: String = "kubespray-offline"
) throws(FileError) -> (path: FilePath, descriptor: FileDescriptor) {
  while true {
    let path = parent.appending("\(name)-\(String(UInt64.random(in: .min ... .max), radix: 36))")
    do {
      let descriptor = try openFile(
        path, .readWrite, options: [.create, .exclusiveCreate, .noFollow], permissions: .ownerReadWrite)
      return (path, descriptor)
    } catch {
      guard error.code == .fileExists else { throw error }
    }
  }
}

/// A folder that only this user can enter, under a name that nobody can guess, for as long as this process works in it.
///
/// It is locked, and the kernel releases the lock when the process ends, however it ends. Whoever makes the next one of the
/// same parent removes those of this user that nobody has locked: a killed run leaves nothing for long.
public final class WorkFolder: Sendable {
  /// What the names of those begin with that are removed when their owner is gone.
  public static let name = "kubespray-offline-work"

  /// The folder.
  public let path: FilePath
  private let lock: FileDescriptor

  /// Makes a folder.
  ///
  /// - Parameters:
  ///   - parent: Where; it must exist.
  ///   - name: What its name begins with. What is left of killed runs goes by the standard name only.
  /// - Throws: ``FileError``.
  public init(
    in parent: FilePath = systemTemporaryFolder, named name: String = WorkFolder.name
  ) throws(FileError) {
    if name == Self.name { Self.removeAbandoned(in: parent) }
    for _ in 0..<100 {
      let path = try createTemporaryFolder(in: parent, named: name)
      // Between its making and the lock, another process may have taken it for one that was left.
      guard let lock = Self.open(path) else {
        guard errno == ENOENT else { throw FileError(.createFolder, path) }
        continue
      }
      while flock(lock.rawValue, LOCK_EX) != 0, errno == EINTR {}
      if PendingFile.isNamed(path, lock) {
        (self.path, self.lock) = (path, lock)
        return
      }
      try? lock.close()
    }
    throw FileError(.createFolder, parent.appending(name), .resourceBusy)
  }

  /// Removes it with everything in it; links are removed, not followed.
  public func remove() { try? removeTree(path) }

  deinit {
    // A child that was forked but has not yet become another program still has the descriptor.
    flock(lock.rawValue, LOCK_UN)
    try? lock.close()
  }

  /// Removes what killed runs of this user have left. Where the file system has no locks, nothing is removed.
  ///
  /// - Returns: The folders that are gone.
  @discardableResult
  public static func removeAbandoned(in parent: FilePath = systemTemporaryFolder) -> [FilePath] {
    let left = (try? folderNames(parent, startingWith: "\(name)-")) ?? []
    return left.map { parent.appending($0) }.filter { path in
      guard let found = try? FileInfo(path), found.kind == .folder, found.owner == geteuid(),
        let lock = open(path)
      else { return false }
      defer { try? lock.close() }
      guard flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 else { return false }
      return (try? removeTree(path)) != nil
    }
  }

  private static func open(_ path: FilePath) -> FileDescriptor? {
    let raw = path.withPlatformString { Glibc.open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
    return raw >= 0 ? FileDescriptor(rawValue: raw) : nil
  }
}

/// Gives `body` a folder of its own, and removes it with everything in it afterwards, whatever happens.
///
/// - Throws: ``FileError`` when it cannot be made, or whatever `body` throws.
public func withTemporaryFolder<T>(
  in parent: FilePath = systemTemporaryFolder, named name: String = WorkFolder.name,
  _ body: (FilePath) throws -> T
) throws -> T {
  let folder = try WorkFolder(in: parent, named: name)
  defer { folder.remove() }
  return try body(folder.path)
}

/// Gives `body` a folder of its own, and removes it with everything in it afterwards, whatever happens.
///
/// - Throws: ``FileError`` when it cannot be made, or whatever `body` throws.
public func withTemporaryFolder<T>(
  in parent: FilePath = systemTemporaryFolder, named name: String = WorkFolder.name,
  isolation: isolated (any Actor)? = #isolation, _ body: (FilePath) async throws -> T
) async throws -> T {
  let folder = try WorkFolder(in: parent, named: name)
  defer { folder.remove() }
  return try await body(folder.path)
}
