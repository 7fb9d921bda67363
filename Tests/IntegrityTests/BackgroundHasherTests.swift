import Integrity
import Testing

@Suite(.timeLimit(.minutes(5))) struct BackgroundHasherTests {
  /// Large pieces are hashed by others, small ones at once; the order must stay.
  @Test(arguments: 0..<5)
  func theDigestIsThatOfAllBytesInTheirOrder(_ number: Int) {
    let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 15 ^ number) }
    let hasher = BackgroundHasher([.sha256, .sha512], most: number)
    var rest = bytes[...]
    var piece: [UInt8] = []
    var memory = [UInt8](repeating: 7, count: 300_000)
    while !rest.isEmpty {
      let next = rest.prefix([1000, 30_000, BackgroundHasher.least, 200_000, 300_000].randomElement() ?? 1)
      rest = rest.dropFirst(next.count)
      if Int.random(in: 0..<4) == 0 {
        // Memory that is filled again and again: what it had before does not count.
        memory.replaceSubrange(..<next.count, with: next)
        hasher.take(&memory, first: next.count)
        #expect(memory.count == 300_000)
      } else if Int.random(in: 0..<8) == 0 {
        next.withUnsafeBytes { hasher.update($0) }
      } else {
        piece.append(contentsOf: next)
        hasher.take(&piece)
        #expect(piece.isEmpty)
      }
      if Int.random(in: 0..<8) == 0 {
        #expect(hasher.finalize()[0] == Digest(of: Array(bytes[..<(bytes.count - rest.count)])))
      }
    }
    #expect(hasher.finalize() == [Digest(of: bytes), Digest(of: bytes, algorithm: .sha512)])
    #expect(BackgroundHasher([.sha256]).finalize() == [Digest(of: [])])
  }
}
