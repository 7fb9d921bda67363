import Concurrency
import Files
import SystemPackage

/// Keeps a second run off a host. It lies in /run, so that a crash of the host leaves nothing.
final class HostLock {
  /// Where it is, a path of the host.
  static let place: FilePath = "/run/kubespray-offline-target-setup.lock"
  private let lock: FileLock

  /// Takes it.
  ///
  /// - Throws: ``StepError`` that names the holder.
  init(_ host: TargetHost) throws(StepError) {
    let path = host.path(Self.place)
    do {
      try createDirectories(path.removingLastComponent())
      lock = try FileLock(path)
    } catch let error as FileLockError {
      let who = error.holder.map { "process \($0)\(Self.commandLine($0))" } ?? "another process"
      throw StepError("\(who) is setting up this host", .wait)
    } catch {
      throw StepError("cannot take the lock \(path): \(error)", .asRoot(command: nil))
    }
  }

  private static func commandLine(_ process: Int32) -> String {
    let bytes = (try? readBytes(FilePath("/proc/\(process)/cmdline"))) ?? []
    let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    return words.isEmpty ? "" : " (\(words.joined(separator: " ")))"
  }
}

/// ``Integrity/offload(_:)`` for work whose error is of any type.
func offloaded<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
  try await offload { () throws in try work() }
}
