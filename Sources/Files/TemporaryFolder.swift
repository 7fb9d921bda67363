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

/// Gives `body` a folder of its own, and removes it with everything in it afterwards, whatever happens.
///
/// - Throws: ``FileError`` when it cannot be made, or whatever `body` throws.
public func withTemporaryFolder<T>(
  in parent: FilePath = systemTemporaryFolder, named name: String = "kubespray-offline",
  _ body: (FilePath) throws -> T
) throws -> T {
  let folder = try createTemporaryFolder(in: parent, named: name)
  defer { try? removeTree(folder) }
  return try body(folder)
}

/// Gives `body` a folder of its own, and removes it with everything in it afterwards, whatever happens.
///
/// - Throws: ``FileError`` when it cannot be made, or whatever `body` throws.
public func withTemporaryFolder<T>(
  in parent: FilePath = systemTemporaryFolder, named name: String = "kubespray-offline",
  isolation: isolated (any Actor)? = #isolation, _ body: (FilePath) async throws -> T
) async throws -> T {
  let folder = try createTemporaryFolder(in: parent, named: name)
  defer { try? removeTree(folder) }
  return try await body(folder)
}
