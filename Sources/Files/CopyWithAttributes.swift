import SystemPackage

/// Copies a regular file with everything that it is made of: content, owner, permissions, time of modification, ACLs,
/// capabilities and other extended attributes.
///
/// The copy takes its final name when it is complete and on the disk. Until then nobody but its owner can read it.
/// - Throws: ``FileError``; the final name is then as it was. Also for a link in place of the source.
public func copyWithAttributes(_ source: FilePath, to destination: FilePath) throws {
  let input = try openFile(source, .readOnly, options: .noFollow)
  defer { try? input.close() }
  let file = try PendingFile(for: destination, permissions: .ownerReadWrite)
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
  defer { buffer.deallocate() }
  while true {
    let count = try FileError.naming(.read, source) { try input.read(into: buffer) }
    if count == 0 { break }
    try FileError.naming(.write, destination) {
      _ = try file.descriptor.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
  let (info, attributes) = try FileError.naming(.inspect, source) {
    (try FileInfo(input), try ExtendedAttributes(input))
  }
  try FileError.naming(.setAttributes, destination) { try info.apply(attributes, to: file.descriptor) }
  try file.commit()
}
