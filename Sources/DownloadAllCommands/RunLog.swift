import Bundle
import Cache
import Console
import Files
import FoundationEssentials
import SystemPackage

/// What one run says, all of it, in a file of the cache. The last runs have one each.
final class RunLog: Sendable {
  /// How many runs have one.
  static let kept = 10

  /// Where it is.
  let path: FilePath
  private let descriptor: FileDescriptor

  /// Begins a log, and removes those of runs before the last ones. `nil` where none can be written: nothing fails for that.
  ///
  /// - Parameters:
  ///   - cache: The folder of the cache.
  ///   - arguments: What was typed.
  init?(cache: FilePath, arguments: [String], process: Int32 = ProcessInfo.processInfo.processIdentifier) {
    let now = secondsSince1970()
    let time = ManifestTime.text(now)
    do {
      let folder = try Cache(cache).file("log")
      try createDirectories(folder)
      // In order of time, whatever else is in the name.
      path = folder.appending("\(time.replacing(":", with: ""))-\(process).log")
      // What people say with -e may be for their eyes alone.
      descriptor = try openFile(
        path, .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
      let names = try listFolder(folder).filter { $0.hasSuffix(".log") }.sorted()
      for name in names.dropLast(Self.kept) { try removeFile(folder.appending(name)) }
    } catch {
      return nil
    }
    write(
      "\(time) \(programVersion): download-all \(arguments.map { maskingSecrets(in: $0) }.joined(separator: " "))\n"
    )
  }

  deinit { try? descriptor.close() }

  /// Writes what cannot be shown any more, such as an error that ends the program.
  func write(_ text: String) { _ = try? descriptor.writeAll(text.utf8) }

  /// A sentence that tells where it is.
  var remark: String { "the log of this run: \(path)" }

  /// Where a console writes to.
  var device: ConsoleDevice { .log { self.write($0) } }
}
