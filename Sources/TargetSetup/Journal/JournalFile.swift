import Files
import FoundationEssentials
import SystemPackage

/// The lines of a journal on the disk. Each is flushed before the change that it tells is made.
struct JournalFile: Sendable {
  let path: FilePath

  /// All complete lines. The last one may have been cut off by a crash: its change was not made.
  ///
  /// - Throws: ``StepError`` when the file cannot be read.
  func read() throws(StepError) -> [JournalEntry] {
    let bytes: [UInt8]
    do {
      bytes = try readBytes(ifPresent: path) ?? []
    } catch {
      throw StepError(
        "the journal \(path) cannot be read: \(FileError.reason(error))",
        .asRoot(command: nil))
    }
    let decoder = JSONDecoder()
    return bytes.split(separator: UInt8(ascii: "\n")).compactMap {
      try? decoder.decode(JournalEntry.self, from: Data($0))
    }
  }

  /// Adds lines and waits until they are on the disk.
  ///
  /// - Throws: ``FileError``.
  func append(_ entries: [JournalEntry]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let isNew = !FileTree.exists(path)
    let descriptor = try openFile(
      path, .readWrite, options: [.create, .append, .noFollow], permissions: .publicFile)
    try descriptor.closeAfter {
      // A line that was cut off must not swallow the next one.
      var bytes: [UInt8] = isNew ? [] : [UInt8(ascii: "\n")]
      for entry in entries { bytes += Array(try encoder.encode(entry)) + [UInt8(ascii: "\n")] }
      try FileError.naming(.write, path) {
        _ = try descriptor.writeAll(bytes)
        try synchronize(descriptor)
      }
    }
    if isNew { try Self.synchronizeFolder(path.removingLastComponent()) }
  }

  private static func synchronizeFolder(_ folder: FilePath) throws {
    let descriptor = try openFile(folder, .readOnly)
    try descriptor.closeAfter { try FileError.naming(.write, folder) { try synchronize(descriptor) } }
  }
}
