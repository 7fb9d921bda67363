import Testing

@testable import Transfer

@Suite struct WaitingOrdersTests {
  private func order(_ id: UInt64, _ url: String, isContent: Bool) throws -> ExchangeOrder {
    var request = ExchangeRequest(url: try TransferURL(url))
    request.isContent = isContent
    return ExchangeOrder(id: id, request: request, sink: MemorySink(url: url, limit: 0)) { _ in }
  }

  @Test func whoWaitsLongestForAServerWithRoomIsNext() throws {
    var waiting = WaitingOrders()
    let servers = ["http://a/", "http://b/", "http://c/"]
    for id in 0..<300 as Range<UInt64> {
      waiting.append(try order(id, servers[Int(id * 7 % 3)] + "\(id)", isContent: id % 2 == 0))
    }
    let removed = waiting.remove([10, 11, 250, 1000])
    #expect(Set(removed.map(\.id)) == [10, 11, 250])
    let busy = try TransferURL(servers[1]).origin
    #expect(waiting.contains(busy))
    var taken: [UInt64] = []
    while let next = waiting.takeFirst(content: true, where: { $0 != busy }) { taken.append(next.id) }
    #expect(taken == (0..<300).filter { $0 % 2 == 0 && $0 * 7 % 3 != 1 && ![10, 250].contains($0) })
    #expect(waiting.has(content: true) { _ in true } && !waiting.has(content: true) { $0 != busy })
    #expect(waiting.all.count == 297 - taken.count)
    while waiting.takeFirst(content: true, where: { _ in true }) != nil {}
    while waiting.takeFirst(content: false, where: { _ in true }) != nil {}
    #expect(waiting.all.isEmpty && !waiting.contains(busy))
  }
}
