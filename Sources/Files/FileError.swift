import Glibc
import SystemPackage

/// Something that could not be done with a file or folder, and what the system answered.
public struct FileError: Error, Equatable, CustomStringConvertible {
  /// What was being done; the raw value goes between "cannot" and the path.
  public enum Action: String, Sendable {
    case read
    case write
    case create
    case list = "list the folder"
    case createFolder = "create the folder"
    case inspect = "read the attributes of"
    case setAttributes = "set the attributes of"
    case remove
    case move = "move a file to"
    case resolve = "find"
    case lock
    case readLink = "read the link"
    case createLink = "create the link"
    case measureSpace = "read the free space of"
  }

  /// What was being done.
  public let action: Action
  /// The file or folder.
  public let path: FilePath
  /// What the system answered.
  public let code: Errno

  /// An error of a system call.
  public init(_ action: Action, _ path: FilePath, _ code: Errno) {
    self.action = action
    self.path = path
    self.code = code
  }

  /// The error of the system call that has just failed.
  init(_ action: Action, _ path: FilePath) {
    self.init(action, path, Errno(rawValue: errno))
  }

  /// Whether there is nothing at that path.
  public var isMissing: Bool { code == .noSuchFileOrDirectory || code == .notDirectory }

  /// A sentence for people.
  public var description: String { "cannot \(action.rawValue) \(path): \(code)" }

  /// What the system answered, for a sentence that names the file already; of other errors their own text.
  public static func reason(_ error: any Error) -> String {
    switch error {
    case let error as FileError: "\(error.code)"
    case let error as TextEncodingError: error.reason
    default: "\(error)"
    }
  }

  /// Does something with a file; an `Errno` becomes an error that names the file.
  ///
  /// - Throws: ``FileError`` in place of an `Errno`, and whatever else `body` throws.
  public static func naming<T>(_ action: Action, _ path: FilePath, _ body: () throws -> T) throws -> T {
    do {
      return try body()
    } catch let code as Errno {
      throw FileError(action, path, code)
    }
  }
}

/// A file opened for reading or writing; the descriptor is not inherited by programs that are started.
///
/// - Throws: ``FileError``.
public func openFile(
  _ path: FilePath, _ mode: FileDescriptor.AccessMode, options: FileDescriptor.OpenOptions = [],
  permissions: FilePermissions? = nil
) throws(FileError) -> FileDescriptor {
  do {
    return try FileDescriptor.open(
      path, mode, options: options.union(.closeOnExec), permissions: permissions)
  } catch {
    let action: FileError.Action = options.contains(.create) ? .create : mode == .readOnly ? .read : .write
    throw FileError(action, path, error as? Errno ?? .ioError)
  }
}
