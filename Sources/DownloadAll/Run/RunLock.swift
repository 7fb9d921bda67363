import Bundle
import Files
import Integrity
import Settings
import SystemPackage

/// Keeps a second run out of a bundle.
enum RunLock {
  /// Takes the lock of the bundle in a folder that exists.
  ///
  /// - Throws: ``FileLockError`` when another run has it; `FileError`.
  static func take(outputs: FilePath, cache: FilePath) throws -> FileLock {
    do {
      return try FileLock(FilePath(outputs.string + ".lock"))
    } catch let error as FileLockError {
      throw error
    } catch {
      // The folder above may belong to somebody else: a mounted disk, a folder made by an administrator.
      return try FileLock(cache.appending("\(try name(of: outputs)).lock"))
    }
  }

  private static func name(of folder: FilePath) throws -> String {
    String(Digest(of: Array(try realPath(folder).string.utf8)).hex.prefix(16))
  }

  /// Makes the folder of the bundle and keeps other runs out of it until the lock is gone.
  ///
  /// - Throws: ``FileLockError`` when another run works on it; ``UnusableFolder``.
  static func take(_ job: Job) throws -> FileLock {
    let outputs = job.configuration.outputs
    do {
      try createDirectories(outputs)
      return try take(outputs: outputs, cache: job.configuration.cache)
    } catch let error as FileLockError {
      throw error
    } catch {
      throw UnusableFolder(folder: outputs, option: "--outputs", reason: FileError.reason(error))
    }
  }
}

/// A folder of the settings in which the program cannot work.
public struct UnusableFolder: Error, CustomStringConvertible {
  /// The folder.
  public let folder: FilePath
  /// The flag that names another one.
  public let option: String
  /// What the system says.
  public let reason: String

  /// A sentence for people.
  public var description: String {
    "\(folder) cannot be used: \(reason)"
  }
}
