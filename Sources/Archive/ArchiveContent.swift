/// Whether a visit of an archive goes on.
public enum ArchiveVisit: Sendable {
  /// To the next entry.
  case next
  /// No further.
  case stop
}

/// The content of the entry that a visit of an archive has come to; of use only during that call, and once.
public struct ArchiveContent {
  private let source: ReadHandle

  init(_ source: ReadHandle) {
    self.source = source
  }

  /// Hands over the content piece by piece, in order.
  ///
  /// - Throws: ``ArchiveError/damaged(archive:entry:reason:)``, also for a file with holes and for one that is longer than
  ///   its entry tells, or whatever `body` throws.
  public func pieces(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    var position: Int64 = 0
    try source.readContent { bytes, offset in
      guard offset == position else { throw damaged("the file has holes") }
      position += Int64(bytes.count)
      // A zip may tell its sizes behind the content, or tell others: what is handed over is what was announced.
      guard position <= source.current?.size ?? 0 else { throw damaged("it is longer than it was announced") }
      try body(bytes)
    }
    guard position == source.current?.size else { throw damaged("the file has holes") }
  }

  /// The whole content.
  ///
  /// - Parameter limit: How many bytes are accepted.
  /// - Throws: ``ArchiveError/damaged(archive:entry:reason:)``.
  public func bytes(limit: Int) throws -> [UInt8] {
    guard let size = source.current?.size, size <= limit else {
      throw damaged("it is larger than the \(limit) bytes that such a file may have")
    }
    var result: [UInt8] = []
    result.reserveCapacity(Int(size))
    try pieces { result.append(contentsOf: $0) }
    return result
  }

  private func damaged(_ reason: String) -> ArchiveError {
    .damaged(archive: source.path, entry: source.current?.path, reason: reason)
  }
}
