import Files
import Subprocess
import SystemPackage

/// Runs a command that nothing ends half way.
///
/// Its outputs are files without a name: the end of this process would break a pipe, and with it a program that writes to it.
///
/// - Returns: How it ended, and what it wrote.
/// - Throws: ``OutputLimitReached``, `FileError` or `SubprocessError`.
func runUnbroken(
  _ configuration: Configuration, input: String, limit: Int
) async throws -> (TerminationStatus, CapturedOutputs) {
  // A task of its own: to cancel the one that waits for it would end the program.
  try await Task {
    let files = (output: try unnamedFile(), error: try unnamedFile())
    defer {
      try? files.output.close()
      try? files.error.close()
    }
    let result = try await Subprocess.run(
      configuration, input: .string(input),
      output: .fileDescriptor(files.output, closeAfterSpawningProcess: false),
      error: .fileDescriptor(files.error, closeAfterSpawningProcess: false))
    return (
      result.terminationStatus,
      CapturedOutputs(output: try content(files.output, limit), error: try content(files.error, limit))
    )
  }.value
}

private func unnamedFile() throws -> FileDescriptor {
  let file = try createTemporaryFile()
  do {
    try removeFile(file.path)
  } catch {
    try? file.descriptor.close()
    throw error
  }
  return file.descriptor
}

private func content(_ file: FileDescriptor, _ limit: Int) throws -> [UInt8] {
  let size = try file.seek(offset: 0, from: .end)
  guard size <= limit else { throw OutputLimitReached() }
  return try [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
    while count < buffer.count {
      let read = try file.read(
        fromAbsoluteOffset: Int64(count),
        into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]))
      guard read > 0 else { break }
      count += read
    }
  }
}
