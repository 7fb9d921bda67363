import Files
import Host
import SystemPackage

extension Machine {
  /// What starts the services of this machine.
  ///
  /// - Parameter next: What starts them after a boot where nothing does.
  public func services(next: String) -> Finding {
    guard exists("/run/systemd/system") else {
      return .warning(
        .services, "systemd does not run: the servers run under a script, and nothing starts them at a boot",
        next: next)
    }
    return .ok(.services, "systemd")
  }

  /// Files and folders whose names end with the number of a process that has made them and is gone.
  public func abandoned(named prefix: String, in folders: [FilePath]) -> [FilePath] {
    folders.flatMap { folder in
      names(in: folder).filter { name in
        guard name.hasPrefix(prefix), let id = Int32(name.dropFirst(prefix.count)) else { return false }
        return !exists(FilePath("/proc/\(id)"))
      }.map { folder.appending($0) }
    }
  }

  /// The process that holds a lock; `nil` when nobody does. A file that is not there is not made.
  public func holder(ofLock file: FilePath) -> Int32? {
    guard exists(file) else { return nil }
    do {
      _ = try FileLock(path(file))
      return nil
    } catch let error as FileLockError {
      return error.holder
    } catch {
      return nil
    }
  }

  /// Whether a folder, or the one above it in which it will be made, can be written to.
  public func access(to folder: FilePath, _ purpose: String, next: String) -> Finding? {
    var place = folder
    while !exists(place), !place.components.isEmpty { place.removeLastComponent() }
    do {
      try checkWritable(path(place))
      return nil
    } catch {
      return .error(
        .disk, "\(folder) (\(purpose)) cannot be made or written: \(FileError.reason(error))", next: next)
    }
  }

  /// What killed runs have left.
  ///
  /// - Parameters:
  ///   - paths: What was found.
  ///   - next: What removes it, or uses it.
  public func leftovers(_ paths: [FilePath], next: String) -> Finding {
    guard let first = paths.first else { return .ok(.leftovers, "none of killed runs") }
    let more = paths.count > 1 ? " and \(paths.count - 1) more" : ""
    return .warning(.leftovers, "\(first)\(more), which a killed run has left", next: next)
  }
}
