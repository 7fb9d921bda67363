import Integrity

/// What is known of a download's bytes on their way.
struct PartState: Sendable {
  /// Bytes that are in the storage from the beginning on, and in the hashes.
  var offset: Int64 = 0
  /// Bytes on their way there: libcurl hands over 16 KiB at a time, and each write has its price.
  var buffer: [UInt8] = []
  /// The first of all bytes, by which a page for people is known.
  var start: [UInt8] = []
  /// The SHA-256, and behind it the digest that is expected where that is of another algorithm.
  var hashes = BackgroundHasher([.sha256])
  var origin = PartOrigin()
  /// Whether ``origin`` is still to be noted beside the bytes: what comes by one write never is.
  var isNoteDue = false
  var head: ResponseHead?
  var errorBody: [UInt8] = []
  var unreported: Int64 = 0
  var lastReport = ContinuousClock.now
  /// Bytes that came in this run, whatever became of them.
  var arrived: Int64 = 0

  /// Bytes that are in the storage beyond ``offset``, which are hashed when those before them are here.
  var ahead = ByteRanges()
  /// Where the connection that brings the first missing bytes stops, since what follows comes over others or is here;
  /// `nil` while it brings all that is missing.
  var firstEnd: Int64?
  var firstIsRunning = false
  var firstWasCut = false
  var firstRate = RateSamples()
  /// The end of what was asked for over that connection.
  var firstAskedEnd: Int64 = .max
  /// What nobody brings.
  var free = ByteRanges()
  /// What comes over other connections, by number.
  var pieces: [Int: RunningPiece] = [:]
  var pieceCount = 0
  /// Whether the file is not to be fetched in pieces: the server has answered wrongly.
  var isWhole = false

  /// How many of the first bytes are looked at.
  private static let startSize = 512

  /// Bytes in the storage.
  var kept: Int64 { offset + ahead.count }

  /// Whether what is collected now is the rest of the file, as far as the server has told its size.
  var bufferIsRest: Bool { firstEnd == nil && origin.total == offset + Int64(buffer.count) }

  /// Takes bytes into account that are in the storage.
  mutating func count(_ bytes: UnsafeRawBufferPointer) {
    hashes.update(bytes)
    pass(bytes)
  }

  /// Takes bytes into account that are in the storage, and takes them away to be hashed.
  mutating func count(taking bytes: inout [UInt8]) {
    bytes.withUnsafeBytes { pass($0) }
    hashes.take(&bytes)
  }

  private mutating func pass(_ bytes: UnsafeRawBufferPointer) {
    offset += Int64(bytes.count)
    start.append(contentsOf: bytes.prefix(Self.startSize - start.count))
  }

  /// Notes bytes that have arrived.
  ///
  /// - Returns: How many are to be told now.
  mutating func report(_ count: Int) -> Int64 {
    unreported += Int64(count)
    let now = ContinuousClock.now
    guard now - lastReport >= .milliseconds(100) else { return 0 }
    defer {
      unreported = 0
      lastReport = now
    }
    return unreported
  }

  /// Nothing is here.
  mutating func reset(for download: Download) {
    offset = 0
    start = []
    buffer.removeAll(keepingCapacity: true)
    unreported = 0
    origin = PartOrigin()
    isNoteDue = false
    ahead = ByteRanges()
    free = ByteRanges()
    pieces = [:]
    firstEnd = nil
    firstAskedEnd = .max
    let expected = download.digest?.algorithm ?? .sha256
    hashes = BackgroundHasher(expected == .sha256 ? [.sha256] : [.sha256, expected])
  }

  /// Notes how far each connection has come.
  mutating func measure(at now: ContinuousClock.Instant) {
    firstRate.note(offset + Int64(buffer.count), at: now)
    for number in pieces.keys { pieces[number]?.measure(at: now) }
  }

  /// Takes the second half of what one connection is still to bring, or nearly all if it stands still: of the one that would
  /// take longest, and if it is worth another connection.
  mutating func takeHalf(_ shares: PieceShares) -> Range<Int64>? {
    guard let split = shares.split else { return nil }
    func rate(_ rest: Range<Int64>, _ samples: RateSamples) -> Double {
      rest.count >= 2 * shares.least ? samples.rate(over: split.window) ?? .infinity : .infinity
    }
    let first = offset + Int64(buffer.count)
    let firstRest = firstIsRunning ? first..<max(first, firstEnd ?? first) : first..<first
    var longest = (rest: firstRest, number: Int?.none, rate: rate(firstRest, firstRate))
    for (number, piece) in pieces where !piece.isCut {
      let rate = rate(piece.rest, piece.rate)
      let isLonger = Double(piece.rest.count) * longest.rate > Double(longest.rest.count) * rate
      if isLonger || longest.rate == .infinity { longest = (piece.rest, number, rate) }
    }
    let span = longest.rate * (split.after / .seconds(1))
    guard span <= Double(longest.rest.count) else { return nil }
    // Whoever stands still keeps the least: half, and half of that again, would be a request each.
    let left = span < Double(shares.least) ? shares.least : Int64(longest.rest.count) / 2
    let middle = longest.rest.lowerBound + left
    if let number = longest.number { pieces[number]?.end = middle } else { firstEnd = middle }
    return middle..<longest.rest.upperBound
  }

  /// Leaves bytes to the connection that brings those before them, and that was asked for them, too; says whether there is
  /// one.
  mutating func giveBack(_ range: Range<Int64>) -> Bool {
    let before = pieces.first { _, piece in
      !piece.isCut && piece.end == range.lowerBound && range.upperBound <= piece.asked.upperBound
    }
    guard let before, !range.isEmpty else { return false }
    pieces[before.key]?.end = range.upperBound
    return true
  }

  /// An attempt begins, with one connection: it asks for the first missing bytes.
  mutating func beginFirst() {
    firstIsRunning = true
    firstWasCut = false
    firstRate = RateSamples()
    pieces = [:]
    free = ByteRanges()
    guard let total = origin.total, let next = ahead.first?.lowerBound else {
      (firstEnd, firstAskedEnd) = (nil, .max)
      return
    }
    (firstEnd, firstAskedEnd) = (next, next)
    free.insert(next..<total)
    for range in ahead.ranges { free.remove(range) }
  }
}

/// A piece of a file, and how far it has come.
struct RunningPiece: Sendable {
  /// Bytes before it are in the storage.
  var offset: Int64
  var end: Int64
  /// What was asked for; the end may have been given to another connection since.
  let asked: Range<Int64>
  var buffer: [UInt8] = []
  var lastArrival = ContinuousClock.now
  /// Whether the server has answered rightly.
  var isAccepted = false
  /// Whether it has come to its end, where others go on.
  var isCut = false
  private(set) var rate = RateSamples()

  init(_ range: Range<Int64>) {
    (offset, end, asked) = (range.lowerBound, range.upperBound, range)
  }

  /// Takes bytes up to its end.
  ///
  /// - Returns: How many, and how many are in the buffer now.
  mutating func append(_ bytes: UnsafeRawBufferPointer) -> (taken: Int, filled: Int) {
    let taken = UnsafeRawBufferPointer(rebasing: bytes.prefix(rest.count))
    buffer.append(contentsOf: taken)
    lastArrival = .now
    return (taken.count, buffer.count)
  }

  /// Notes how far it has come.
  mutating func measure(at now: ContinuousClock.Instant) {
    rate.note(offset - asked.lowerBound + Int64(buffer.count), at: now)
  }

  /// What is still to come.
  var rest: Range<Int64> {
    let next = min(end, offset + Int64(buffer.count))
    return next..<end
  }
}
