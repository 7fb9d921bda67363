import Archive
import Files
import Integrity
import Synchronization
import SystemPackage

/// The blobs of an archive: read where they lie if that can be, else unpacked into a folder first.
final class ArchiveContents: BlobSource {
  private struct State {
    var index: TarIndex?
    /// What was unpacked, once the archive turned out to be compressed.
    var unpacked: [String: RandomAccessFile]?
    var wanted: Set<String> = []
  }

  let path: FilePath
  /// The entry that has each blob.
  private let names: [Digest: String]
  private let scratch: FilePath
  private let state = Mutex(State())

  init(_ path: FilePath, names: [Digest: String], scratch: FilePath) {
    self.path = path
    self.names = names
    self.scratch = scratch
  }

  /// Says which blobs will be asked for, so that an archive that must be unpacked is unpacked once.
  func announce(_ blobs: [Digest]) {
    state.withLock { $0.wanted = Set(blobs.compactMap { names[$0] }) }
  }

  /// Forgets where everything lies; what was unpacked is gone with its last reader.
  func close() {
    state.withLock { state in
      state.index = nil
      state.unpacked = nil
    }
  }

  /// Where a blob lies. Reads the archive's headers the first time, or unpacks it: may take long.
  ///
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError``, `FileError` or `CancellationError`.
  func file(_ blob: Descriptor) throws -> TarIndex.File {
    guard let name = names[blob.digest] else {
      throw ImageArchiveError.incomplete(path, blob: blob.digest)
    }
    return try state.withLock { state in
      if state.index == nil, state.unpacked == nil {
        do {
          state.index = try TarIndex(StoredStream(RandomAccessFile(path)))
        } catch StoredStreamError.notStored {
          state.unpacked = [:]
        } catch let error as StoredStreamError {
          throw error.naming(path)
        }
      }
      if let index = state.index {
        guard let file = index.files[name] else {
          throw ImageArchiveError.incomplete(path, blob: blob.digest)
        }
        return file
      }
      if state.unpacked?[name] == nil {
        state.unpacked = try unpack(
          state.wanted.union([name]).subtracting(state.unpacked?.keys.map { $0 } ?? [])
        )
        .merging(state.unpacked ?? [:]) { first, _ in first }
      }
      guard let file = state.unpacked?[name] else {
        throw ImageArchiveError.incomplete(path, blob: blob.digest)
      }
      return TarIndex.File(start: StoredStream(plain: file), size: file.size)
    }
  }

  private func unpack(_ wanted: Set<String>) throws -> [String: RandomAccessFile] {
    try createDirectories(scratch)
    var result: [String: RandomAccessFile] = [:]
    try ArchiveReader.visit(path) { entry, content in
      guard wanted.contains(entry.path), entry.kind == .file else { return .next }
      let (file, descriptor) = try createTemporaryFile(in: scratch, named: "layer")
      // The name goes at once: the space is given back however this program ends.
      defer { try? removeFile(file) }
      try descriptor.closeAfter {
        try content.pieces { piece in
          try FileError.naming(.write, file) { _ = try descriptor.writeAll(piece) }
        }
      }
      result[entry.path] = try RandomAccessFile(file)
      return result.count == wanted.count ? .stop : .next
    }
    return result
  }
}
