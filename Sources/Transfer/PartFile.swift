import Files
import Integrity
import Synchronization
import SystemPackage

/// A download's bytes on their way, hashed as they are written; beside them lies a note of what they are a part of, so that
/// another process can go on after a kill.
final class PartFile: ResponseSink {
  private struct State: Sendable {
    var descriptor: FileDescriptor
    /// Bytes that are in the file and in the hashes.
    var offset: Int64 = 0
    /// Bytes on their way there: libcurl hands over 16 KiB at a time, and each write to the file has its price.
    var buffer: [UInt8] = []
    var sha256 = DigestHasher(.sha256)
    /// The second hash, where the expected digest is of another algorithm.
    var expectedHash: DigestHasher?
    var validator: String?
    /// The size of the whole, as the answer that the bytes came by told it.
    var total: Int64?
    var head: ResponseHead?
    var errorBody: [UInt8] = []
    var unreported: Int64 = 0
    var lastReport = ContinuousClock.now
  }

  /// How many bytes are collected for one write.
  private static let bufferSize = 256 * 1024

  private let download: Download
  private let redactedURL: String
  private let path: FilePath
  private let metaPath: FilePath
  private let onEvent: @Sendable (DownloadEvent) -> Void
  private let state: Mutex<State>

  /// Opens the part, and takes over what an earlier run left if it is provably of the same thing.
  ///
  /// Reads those bytes once to hash them: call it off the cooperative threads.
  /// - Throws: ``TransferError`` of kind `file`.
  init(
    _ download: Download, redactedURL: String, onEvent: @escaping @Sendable (DownloadEvent) -> Void
  ) throws(TransferError) {
    self.download = download
    self.redactedURL = redactedURL
    self.onEvent = onEvent
    path = Download.partFile(of: download.destination)
    metaPath = Download.metaFile(of: download.destination)
    let descriptor: FileDescriptor
    do {
      descriptor = try Self.open(path)
    } catch {
      throw TransferError(.file, url: redactedURL, detail: "\(error)")
    }
    var state = State(descriptor: descriptor)
    Self.reset(&state, for: download)
    self.state = Mutex(state)
    do {
      try adoptEarlierBytes()
    } catch {
      throw TransferError(.file, url: redactedURL, detail: "\(error)")
    }
  }

  deinit {
    // What arrived before a cancellation is worth keeping; a failure costs these bytes and nothing more.
    let descriptor = state.withLock { state in
      _ = write(&state)
      return state.descriptor
    }
    try? descriptor.close()
  }

  /// Bytes at hand.
  var offset: Int64 { state.withLock { $0.offset } }

  /// Whether the bytes at hand are already the expected ones: a run was killed just before the rename.
  var isComplete: Bool {
    guard let expected = download.digest else { return false }
    return state.withLock { $0.offset > 0 && ($0.expectedHash ?? $0.sha256).finalize() == expected }
  }

  /// The answer to the last attempt.
  var head: ResponseHead? { state.withLock { $0.head } }

  /// The start of the server's explanation, when its answer was not a success.
  var errorBody: [UInt8] { state.withLock { $0.errorBody } }

  /// The fields that ask for the rest, or for a change.
  var requestFields: HTTPFields {
    state.withLock { state in
      var fields = download.fields
      if state.offset > 0 {
        fields["Range"] = "bytes=\(state.offset)-"
        fields["If-Range"] = state.validator
      } else if let known = download.knownValidator {
        let isTag = known.hasPrefix("\"") || known.hasPrefix("W/")
        fields[isTag ? "If-None-Match" : "If-Modified-Since"] = known
      }
      return fields
    }
  }

  func receive(head: ResponseHead) throws(TransferError) {
    let problem = state.withLock { state -> TransferError? in
      state.head = head
      state.errorBody = []
      guard [200, 206].contains(head.status) else { return nil }
      return accept(head, &state)
    }
    if let problem { throw problem }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) throws(TransferError) {
    let (problem, report) = state.withLock { state -> (TransferError?, Int64) in
      guard let head = state.head, [200, 206].contains(head.status) else {
        state.errorBody.append(contentsOf: bytes.prefix(max(0, 16_384 - state.errorBody.count)))
        return (nil, 0)
      }
      return append(bytes, &state)
    }
    if report > 0 { onEvent(.received(report)) }
    if let problem { throw problem }
  }

  /// Writes what has been collected: after each exchange, before the bytes at hand are counted.
  ///
  /// - Throws: ``TransferError`` of kind `file`.
  func settle() throws(TransferError) {
    if let problem = state.withLock({ write(&$0) }) { throw problem }
  }

  /// Throws all bytes away: the next request asks for the whole.
  func restart() {
    let discarded = state.withLock { state -> Int64 in
      let counted = state.offset - state.unreported
      Self.reset(&state, for: download)
      try? state.descriptor.resize(to: 0)
      return counted
    }
    try? removeFile(metaPath)
    if discarded > 0 { onEvent(.discarded(discarded)) }
  }

  /// Checks size and digest of the complete bytes, makes them durable and gives the file its name.
  ///
  /// Waits for the disk: call it off the cooperative threads.
  /// - Returns: The size and the SHA-256 of the file.
  /// - Throws: ``TransferError``; of kind `digestMismatch` or `sizeMismatch` when the bytes are not the expected ones.
  func commit() throws(TransferError) -> (size: Int64, sha256: Digest, validator: String?) {
    let (size, sha256, actual, validator, total, report, descriptor) = state.withLock { state in
      let sha256 = state.sha256.finalize()
      let report = state.unreported
      state.unreported = 0
      return (
        state.offset, sha256, state.expectedHash?.finalize() ?? sha256, state.validator, state.total,
        report, state.descriptor
      )
    }
    if report > 0 { onEvent(.received(report)) }
    let isProved = download.digest == actual
    // What the server said before is wrong where the digest is right.
    let sizes = [download.size, isProved ? nil : total, isProved ? nil : download.announcedSize]
    for expected in sizes.compactMap(\.self) where expected != size {
      throw webPage(expected: nil, actual)
        ?? ContentExpectation(url: redactedURL).mismatch(expected: expected, actual: size)
    }
    if let expected = download.digest, expected != actual {
      throw webPage(expected: expected, actual)
        ?? TransferError(
          .digestMismatch(expected: expected, actual: actual), url: redactedURL,
          detail: "the content has digest \(actual) where \(expected) was expected")
    }
    if download.digest == nil, WebPage.isUnexpected(at: download.url),
      let page = webPage(expected: nil, actual)
    {
      throw page
    }
    do {
      if download.isDurable {
        try synchronize(descriptor)
        try renameDurably(path, to: download.destination)
      } else {
        try moveFile(path, to: download.destination)
      }
    } catch {
      let code = (error as? FileError)?.code ?? error as? Errno ?? .ioError
      throw TransferError(
        .file, url: redactedURL, detail: "\(download.destination) cannot be written: \(code)")
    }
    try? removeFile(metaPath)
    return (size, sha256, validator)
  }

  /// The error of a page for people that came in the place of the file; `nil` when something else came.
  private func webPage(expected: Digest?, _ actual: Digest) -> TransferError? {
    guard let start = try? readBeginning(path, count: 512), WebPage.begins(start) else { return nil }
    return TransferError(
      expected.map { .digestMismatch(expected: $0, actual: actual) } ?? .protocolViolation,
      url: redactedURL, detail: WebPage.fact)
  }

  /// Removes a part that holds nothing worth resuming.
  func removeIfEmpty() {
    guard offset == 0 else { return }
    try? removeFile(path)
    try? removeFile(metaPath)
  }

  private func accept(_ head: ResponseHead, _ state: inout State) -> TransferError? {
    var expectation = ContentExpectation(
      url: redactedURL, offset: state.offset, validator: state.validator, isProved: download.digest != nil)
    expectation.sizes = [download.size, download.digest == nil ? download.announcedSize : nil]
      .compactMap(\.self)
    if head.status == 206, let total = state.total { expectation.sizes.append(total) }
    let total: Int64?
    do throws(TransferError) {
      total = try expectation.check(head)
    } catch {
      return error
    }
    if head.status == 200, state.offset > 0 {
      // The server ignored the range, or its file is another one now: what is at hand is void.
      let counted = state.offset - state.unreported
      Self.reset(&state, for: download)
      try? state.descriptor.resize(to: 0)
      onEvent(.discarded(counted))
    }
    state.validator = head.rangeValidator
    state.total = total
    saveMeta(state)
    return nil
  }

  private func append(_ bytes: UnsafeRawBufferPointer, _ state: inout State) -> (TransferError?, Int64) {
    state.buffer.append(contentsOf: bytes)
    state.unreported += Int64(bytes.count)
    if state.buffer.count >= Self.bufferSize, let problem = write(&state) { return (problem, 0) }
    let now = ContinuousClock.now
    guard now - state.lastReport >= .milliseconds(100) else { return (nil, 0) }
    defer {
      state.unreported = 0
      state.lastReport = now
    }
    return (nil, state.unreported)
  }

  private func write(_ state: inout State) -> TransferError? {
    guard !state.buffer.isEmpty else { return nil }
    defer { state.buffer.removeAll(keepingCapacity: true) }
    let offset = state.offset
    let descriptor = state.descriptor
    do {
      try state.buffer.withUnsafeBytes { _ = try descriptor.writeAll(toAbsoluteOffset: offset, $0) }
    } catch {
      return TransferError(.file, url: redactedURL, detail: "\(path) cannot be written: \(error)")
    }
    state.sha256.update(state.buffer)
    state.expectedHash?.update(state.buffer)
    state.offset += Int64(state.buffer.count)
    return nil
  }

  private static func reset(_ state: inout State, for download: Download) {
    state.offset = 0
    state.buffer.removeAll(keepingCapacity: true)
    state.unreported = 0
    state.validator = nil
    state.total = nil
    state.sha256 = DigestHasher(.sha256)
    if let digest = download.digest, digest.algorithm != .sha256 {
      state.expectedHash = DigestHasher(digest.algorithm)
    }
  }
}

extension PartFile {
  /// Opens the part that is there, or a new one. Nobody else's file is written to: the name is this program's own, and
  /// what lies there must be a file.
  private static func open(_ path: FilePath) throws -> FileDescriptor {
    if FileInfo(regularFile: path) != nil {
      return try openFile(path, .readWrite, options: [.noFollow, .nonBlocking])
    }
    return try openFile(
      path, .readWrite, options: [.create, .exclusiveCreate, .noFollow], permissions: .publicFile)
  }

  /// Four lines: the URL without credentials, the expected digest, the validator, the size of the whole; an absent one is
  /// empty.
  private func saveMeta(_ state: State) {
    let lines = [
      redactedURL, download.digest?.description ?? "", state.validator ?? "",
      state.total.map(String.init) ?? "",
    ]
    // Without it the next run starts from the beginning: no reason to fail this one, or to hold up all others for the disk.
    let text = lines.joined(separator: "\n") + "\n"
    try? writeAtomically(Array(text.utf8), to: metaPath, isDurable: false)
  }

  private func adoptEarlierBytes() throws {
    let descriptor = state.withLock { $0.descriptor }
    guard let meta = readMeta(), meta.count >= 4, meta[0] == redactedURL,
      meta[1] == download.digest?.description ?? "", !(meta[1].isEmpty && meta[2].isEmpty)
    else {
      try? descriptor.resize(to: 0)
      return
    }
    try readFile(path) { bytes in
      state.withLock { state in
        state.sha256.update(bytes)
        state.expectedHash?.update(bytes)
        state.offset += Int64(bytes.count)
      }
    }
    let kept = state.withLock { state in
      state.validator = meta[2].isEmpty ? nil : meta[2]
      state.total = ByteSize.parse(meta[3])
      return state.offset
    }
    if kept > 0 { onEvent(.resumed(kept)) }
  }

  private func readMeta() -> [String]? {
    try? readText(metaPath, limit: 1 << 16)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }
}
