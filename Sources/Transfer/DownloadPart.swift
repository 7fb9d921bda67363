import Files
import Integrity
import Synchronization
import SystemPackage

/// A download's bytes on their way, hashed as they are written.
final class DownloadPart: ResponseSink {
  /// How many bytes are collected for one write: in pieces each write is noted, too.
  private static let bufferSize = 256 * 1024
  static let pieceBufferSize = 1 << 20

  let download: Download
  let redactedURL: String
  let storage: any PartStorage
  let onEvent: @Sendable (DownloadEvent) -> Void
  let state: Mutex<PartState>

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
    do {
      storage =
        try download.place.map { PlacedPartStorage($0) }
        ?? FilePartStorage(download, redactedURL: redactedURL)
    } catch {
      throw TransferError(.file, url: redactedURL, detail: "\(error)")
    }
    var state = PartState()
    state.reset(for: download)
    self.state = Mutex(state)
    do {
      try adoptEarlierBytes()
    } catch {
      throw TransferError(.file, url: redactedURL, detail: "\(error)")
    }
    // Nothing can follow what is as long as the whole and is something else.
    if let size = download.size, kept >= size, kept > 0, !isComplete { restart() }
  }

  deinit {
    // What arrived before a cancellation is worth keeping; a failure costs these bytes and nothing more.
    state.withLock { _ = write(&$0) }
  }

  /// Whether the bytes are a part of something larger.
  var isPlaced: Bool { download.place != nil }

  /// Bytes at hand.
  var kept: Int64 { state.withLock { $0.kept } }

  /// Whether the bytes at hand are already the expected ones: a run was killed just before the rename.
  var isComplete: Bool {
    guard let expected = download.digest else { return false }
    return state.withLock { $0.offset > 0 && $0.hashes.finalize().last == expected }
  }

  /// The answer to the last attempt.
  var head: ResponseHead? { state.withLock { $0.head } }

  /// The start of the server's explanation, when its answer was not a success.
  var errorBody: [UInt8] { state.withLock { $0.errorBody } }

  /// Begins an attempt.
  ///
  /// - Returns: The fields that ask for what is missing first, or for a change.
  func begin() -> HTTPFields {
    state.withLock { state in
      var fields = download.fields
      state.beginFirst()
      if state.offset > 0 || state.firstEnd != nil {
        fields["Range"] = "bytes=\(state.offset)-\(state.firstEnd.map { "\($0 - 1)" } ?? "")"
        fields["If-Range"] = state.origin.validator
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
      let counted = state.kept - state.unreported
      // What came in pieces is wrong, or the server is: the next attempt finds out with one connection.
      if state.firstEnd != nil { state.isWhole = true }
      state.reset(for: download)
      storage.discard()
      return counted
    }
    if discarded > 0 { onEvent(.discarded(discarded)) }
  }

  /// Checks size and digest of the complete bytes, makes them durable and gives the file its name.
  ///
  /// Waits for the disk: call it off the cooperative threads.
  /// - Returns: The size and the SHA-256 of the file.
  /// - Throws: ``TransferError``; of kind `digestMismatch` or `sizeMismatch` when the bytes are not the expected ones.
  func commit() throws(TransferError) -> (size: Int64, sha256: Digest, validator: String?) {
    try hashAhead()
    let (size, sha256, actual, origin, report) = state.withLock { state in
      let digests = state.hashes.finalize()
      let report = state.unreported
      state.unreported = 0
      return (state.offset, digests[0], digests[digests.count - 1], state.origin, report)
    }
    if report > 0 { onEvent(.received(report)) }
    let isProved = download.digest == actual
    // What the server said before is wrong where the digest is right.
    let sizes = [download.size, isProved ? nil : origin.total, isProved ? nil : download.announcedSize]
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
      try storage.commit()
    } catch {
      let code = (error as? FileError)?.code ?? error as? Errno ?? .ioError
      throw TransferError(
        .file, url: redactedURL, detail: "\(download.destination) cannot be written: \(code)")
    }
    return (size, sha256, origin.validator)
  }

  /// The error of a page for people that came in the place of the file; `nil` when something else came.
  private func webPage(expected: Digest?, _ actual: Digest) -> TransferError? {
    guard WebPage.begins(state.withLock(\.start)) else { return nil }
    return TransferError(
      expected.map { .digestMismatch(expected: $0, actual: actual) } ?? .protocolViolation,
      url: redactedURL, detail: WebPage.fact)
  }

  /// Removes a part that holds nothing worth resuming.
  func removeIfEmpty() {
    if kept == 0 { storage.remove() }
  }

  private func accept(_ head: ResponseHead, _ state: inout PartState) -> TransferError? {
    var expectation = ContentExpectation(
      url: redactedURL, offset: state.offset, validator: state.origin.validator,
      isProved: download.digest != nil)
    expectation.end = state.firstEnd
    expectation.sizes = [download.size, download.digest == nil ? download.announcedSize : nil]
      .compactMap(\.self)
    if head.status == 206, let total = state.origin.total { expectation.sizes.append(total) }
    let total: Int64?
    do throws(TransferError) {
      total = try expectation.check(head)
    } catch {
      return error
    }
    if head.status == 200, state.kept > 0 {
      // The server ignored the range, or its file is another one now: what is at hand is void.
      let counted = state.kept - state.unreported
      state.reset(for: download)
      storage.discard()
      onEvent(.discarded(counted))
    }
    // With a part a server may leave out the date.
    let validator = head.rangeValidator ?? (head.status == 206 ? state.origin.validator : nil)
    state.origin = PartOrigin(validator: validator, total: total)
    // Without bytes there is nothing to note: a small file comes by one write, and then has its name.
    state.isNoteDue = true
    if state.kept > 0 || storage.hasNote { note(&state) }
    return nil
  }

  private func append(_ bytes: UnsafeRawBufferPointer, _ state: inout PartState) -> (TransferError?, Int64) {
    let room = state.firstEnd.map { Int(clamping: $0 - state.offset) - state.buffer.count } ?? .max
    let taken = UnsafeRawBufferPointer(rebasing: bytes.prefix(max(0, room)))
    state.buffer.append(contentsOf: taken)
    state.arrived += Int64(taken.count)
    let size = state.firstEnd == nil ? Self.bufferSize : Self.pieceBufferSize
    if state.buffer.count >= size, let problem = write(&state) { return (problem, 0) }
    let report = state.report(taken.count)
    guard taken.count < bytes.count else { return (nil, report) }
    // Others bring what follows.
    state.firstIsRunning = false
    state.firstWasCut = true
    return (write(&state) ?? Self.enough(redactedURL), report)
  }

  private func write(_ state: inout PartState) -> TransferError? {
    guard !state.buffer.isEmpty else { return nil }
    if state.isNoteDue, !state.bufferIsRest { note(&state) }
    // Taken out of the state meanwhile, so that its room is used again without a copy.
    var buffer: [UInt8] = []
    swap(&buffer, &state.buffer)
    defer { swap(&buffer, &state.buffer) }
    let offset = state.offset
    do {
      try buffer.withUnsafeBytes { try storage.write($0, at: offset) }
    } catch {
      buffer.removeAll(keepingCapacity: true)
      return TransferError(
        .file, url: redactedURL, detail: "\(storage.path) cannot be written: \(FileError.reason(error))")
    }
    state.count(taking: &buffer)
    if state.firstEnd != nil { note(&state) }
    return nil
  }

  private func adoptEarlierBytes() throws {
    let origin = try storage.adopt { bytes in state.withLock { $0.count(bytes) } }
    state.withLock { state in
      guard let origin else { return }
      state.origin = origin
      state.ahead = origin.ahead
    }
    try absorb()
    let kept = self.kept
    if kept > 0 { onEvent(.resumed(kept)) }
  }

  /// Notes where the bytes at hand come from, and which they are where they are not the first ones.
  func note(_ state: inout PartState) {
    state.isNoteDue = false
    var origin = state.origin
    origin.ahead = state.ahead
    storage.note(origin, first: state.firstEnd == nil && state.ahead.ranges.isEmpty ? nil : state.offset)
  }
}
