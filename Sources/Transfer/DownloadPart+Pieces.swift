import Files
import Synchronization
import SystemPackage

/// The bytes of one piece on their way.
final class PieceSink: ResponseSink {
  let number: Int
  /// What is asked for.
  let range: Range<Int64>
  private let part: DownloadPart
  /// The start of the server's explanation, when its answer was not a success.
  let body: MemorySink

  init(_ part: DownloadPart, _ number: Int, _ range: Range<Int64>) {
    (self.part, self.number, self.range) = (part, number, range)
    body = MemorySink(url: part.redactedURL, limit: 1 << 16)
  }

  func receive(head: ResponseHead) throws(TransferError) {
    if head.isSuccess { try part.acceptPiece(head, number) }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) throws(TransferError) {
    guard try part.appendPiece(bytes, number) else { return try body.receive(bytes) }
  }
}

/// A file that comes in pieces over several connections.
extension DownloadPart {
  /// That a connection is not needed any more, since others bring what follows.
  static func enough(_ url: String) -> TransferError {
    TransferError(.cancelled, url: url, detail: "the rest comes over other connections")
  }

  /// Whether the file can be fetched in pieces: something shows a wrong one.
  var mayHavePieces: Bool { download.digest != nil && storage.takesPieces }

  /// How many bytes have come in this run, and how many are missing; `nil` as long as the server has not said what a piece
  /// must be of. Measures how fast each connection is.
  func outlook(at now: ContinuousClock.Instant) -> (arrived: Int64, left: Int64)? {
    state.withLock { state in
      state.measure(at: now)
      guard !state.isWhole, let total = state.origin.total, state.origin.validator != nil else { return nil }
      return (state.arrived, total - state.kept - Int64(state.buffer.count))
    }
  }

  /// The fields that ask for a piece, beside those of the first request.
  func fields(of range: Range<Int64>, _ fields: HTTPFields) -> HTTPFields {
    var fields = fields
    fields["Range"] = "bytes=\(range.lowerBound)-\(range.upperBound - 1)"
    fields["If-Range"] = state.withLock(\.origin.validator)
    return fields
  }

  /// Whether the first connection stopped where others go on.
  var firstWasCut: Bool { state.withLock(\.firstWasCut) }

  /// Whether all bytes of a piece are here that its connection is to bring.
  func isWhole(_ piece: PieceSink) -> Bool {
    state.withLock { state in state.pieces[piece.number].map { $0.isCut || $0.rest.isEmpty } ?? false }
  }

  /// The first connection has ended.
  func endFirst() { state.withLock { $0.firstIsRunning = false } }

  /// The next piece for a further connection; `nil` when there is none.
  ///
  /// The first one lies well ahead of the first connection, which is held up by nothing until the server has proved by it
  /// that it takes ranges.
  func nextPiece(_ shares: PieceShares) -> PieceSink? {
    state.withLock { state in
      guard !state.isWhole, let total = state.origin.total else { return nil }
      if state.firstEnd != nil {
        let share = shares.share(of: state.free.count, between: state.pieces.count + 2)
        let range =
          state.free.takeFirst(max(shares.least, min(shares.size, share)), leaving: shares.least)
          ?? state.takeHalf(shares)
        return range.map { begin($0, &state) }
      }
      let start = state.offset + Int64(state.buffer.count) + min(shares.size, total)
      guard state.pieces.isEmpty, state.firstIsRunning, start + shares.least <= total else { return nil }
      let end = min(start + shares.size, total)
      return begin(start..<(total - end < shares.least ? total : end), &state)
    }
  }

  /// What is to be fetched next by the connection on which the download depends: what nobody brings, else a share of what
  /// somebody brings.
  ///
  /// - Returns: `nil` for no piece; `isDone` then says whether all is here, or others are just bringing it.
  func nextPiece(_ shares: PieceShares, patience: Duration) -> (sink: PieceSink?, isDone: Bool) {
    state.withLock { state in
      guard state.firstEnd != nil else { return (nil, true) }
      let share = shares.share(of: state.free.count, between: state.pieces.count + 1)
      if let range = state.free.takeFirst(
        max(shares.least, min(shares.size, share)), leaving: shares.least)
      {
        return (begin(range, &state), false)
      }
      let largest = state.pieces.max { $0.value.rest.count < $1.value.rest.count }
      // What has arrived is written when the others end, which nobody waits for.
      guard let (number, piece) = largest, !piece.rest.isEmpty else { return (nil, true) }
      let rest = piece.rest
      // All of it, if nothing comes any more.
      let isSilent = ContinuousClock.now - piece.lastArrival > patience
      if !isSilent, shares.split != nil { return (state.takeHalf(shares).map { begin($0, &state) }, false) }
      guard isSilent || rest.count >= 2 * shares.least else { return (nil, false) }
      let middle = isSilent ? rest.lowerBound : rest.lowerBound + Int64(rest.count) / 2
      state.pieces[number]?.end = middle
      return (begin(middle..<rest.upperBound, &state), false)
    }
  }

  private func begin(_ range: Range<Int64>, _ state: inout PartState) -> PieceSink {
    state.pieceCount += 1
    state.pieces[state.pieceCount] = RunningPiece(range)
    return PieceSink(self, state.pieceCount, range)
  }

  /// Holds the head of an answer against what was asked for.
  fileprivate func acceptPiece(_ head: ResponseHead, _ number: Int) throws(TransferError) {
    let problem = state.withLock { state -> TransferError? in
      guard let piece = state.pieces[number], let total = state.origin.total,
        let validator = state.origin.validator
      else { return Self.enough(redactedURL) }
      var expectation = ContentExpectation(
        url: redactedURL, offset: piece.asked.lowerBound, validator: validator, isProved: true)
      expectation.end = piece.asked.upperBound
      expectation.sizes = [total]
      do throws(TransferError) {
        guard head.status == 206 else {
          throw TransferError(
            .protocolViolation, url: redactedURL,
            detail: "the server does not send the part that was asked for")
        }
        _ = try expectation.check(head)
      } catch {
        return error
      }
      state.pieces[number]?.isAccepted = true
      guard state.firstEnd == nil else { return nil }
      // The server has proved it: from here on the first connection has an end.
      guard state.firstIsRunning, state.offset + Int64(state.buffer.count) <= piece.asked.lowerBound else {
        return Self.enough(redactedURL)
      }
      state.firstEnd = piece.asked.lowerBound
      state.free.insert(piece.asked.upperBound..<total)
      // Before the first byte beyond: what the length of the file says is no longer true.
      note(&state)
      return nil
    }
    if let problem { throw problem }
  }

  /// Takes bytes of a piece; says whether they are.
  fileprivate func appendPiece(_ bytes: UnsafeRawBufferPointer, _ number: Int) throws(TransferError) -> Bool {
    let (problem, report, isTaken) = state.withLock { state -> (TransferError?, Int64, Bool) in
      guard state.pieces[number]?.isAccepted == true else { return (nil, 0, false) }
      // In its place: a copy of the piece would make each addition one of the whole buffer.
      let (taken, filled) = state.pieces[number]?.append(bytes) ?? (0, 0)
      state.arrived += Int64(taken)
      let report = state.report(taken)
      if filled >= Self.pieceBufferSize || taken < bytes.count, let problem = writePiece(number, &state) {
        return (problem, report, true)
      }
      if taken < bytes.count { state.pieces[number]?.isCut = true }
      return (taken < bytes.count ? Self.enough(redactedURL) : nil, report, true)
    }
    if report > 0 { onEvent(.received(report)) }
    if let problem { throw problem }
    return isTaken
  }

  private func writePiece(_ number: Int, _ state: inout PartState) -> TransferError? {
    guard var piece = state.pieces.removeValue(forKey: number) else { return nil }
    defer { state.pieces[number] = piece }
    guard !piece.buffer.isEmpty else { return nil }
    do {
      try piece.buffer.withUnsafeBytes { try storage.write($0, at: piece.offset) }
    } catch {
      return TransferError(
        .file, url: redactedURL, detail: "\(storage.path) cannot be written: \(FileError.reason(error))")
    }
    if piece.offset == state.offset {
      piece.buffer.withUnsafeBytes { state.count($0) }
    } else {
      state.ahead.insert(piece.offset..<piece.offset + Int64(piece.buffer.count))
    }
    piece.offset += Int64(piece.buffer.count)
    piece.buffer.removeAll(keepingCapacity: true)
    note(&state)
    return nil
  }

  /// A piece comes to an end, whole or not; what is missing of it is for others to bring.
  ///
  /// Reads what can be hashed now: call it off the cooperative threads.
  /// - Throws: ``TransferError`` of kind `file`.
  func endPiece(_ number: Int) throws(TransferError) {
    let problem = state.withLock { state -> TransferError? in
      let problem = writePiece(number, &state)
      guard let piece = state.pieces.removeValue(forKey: number), state.firstEnd != nil else {
        return problem
      }
      // Whoever was to bring it before still does, if it has not yet come there.
      if !state.giveBack(piece.rest) { state.free.insert(piece.rest) }
      // The first connection goes on over it, if it has not yet come there.
      if state.firstIsRunning, let end = state.firstEnd, let first = state.free.first,
        first.lowerBound == end, first.upperBound <= state.firstAskedEnd
      {
        state.free.remove(first)
        state.firstEnd = first.upperBound
      }
      return problem
    }
    if let problem { throw problem }
    try hashAhead()
  }

  /// Hashes what can be hashed of what is here beyond the first bytes.
  ///
  /// - Throws: ``TransferError`` of kind `file`.
  func hashAhead() throws(TransferError) {
    do {
      try absorb()
    } catch {
      throw TransferError(
        .file, url: redactedURL, detail: "\(storage.path) cannot be read: \(FileError.reason(error))")
    }
  }

  /// No further piece is fetched: the server has answered one wrongly.
  func refusePieces() { state.withLock { $0.isWhole = true } }

  /// Hashes what follows the first bytes and is here, out of the page cache.
  func absorb() throws {
    while try state.withLock({ try absorbNext(&$0) }) {}
  }

  private func absorbNext(_ state: inout PartState) throws -> Bool {
    guard let next = state.ahead.first, next.lowerBound == state.offset else { return false }
    let range = next.lowerBound..<min(next.upperBound, next.lowerBound + Int64(Self.pieceBufferSize))
    try storage.read(range) { state.count($0) }
    state.ahead.remove(range)
    return true
  }
}
