/// The exchanges that wait for a connection, thousands of them where a run has many files: to add one and to take the next
/// costs the same however many there are.
struct WaitingOrders {
  /// A queue: what was taken is left in front until half of it is gone.
  private struct Line {
    private var orders: [ExchangeOrder?] = []
    private var taken = 0

    var first: ExchangeOrder? { taken < orders.count ? orders[taken] : nil }
    var rest: [ExchangeOrder] { orders[taken...].compactMap(\.self) }

    mutating func append(_ order: ExchangeOrder) { orders.append(order) }

    mutating func removeFirst() -> ExchangeOrder? {
      guard let order = first else { return nil }
      orders[taken] = nil
      taken += 1
      if taken * 2 > orders.count {
        orders.removeFirst(taken)
        taken = 0
      }
      return order
    }

    mutating func remove(_ ids: Set<UInt64>) -> [ExchangeOrder] {
      let removed = rest.filter { ids.contains($0.id) }
      guard !removed.isEmpty else { return [] }
      (orders, taken) = (rest.filter { !ids.contains($0.id) }, 0)
      return removed
    }
  }

  /// One for each server and kind. A run has few servers.
  private struct Key: Hashable {
    let origin: TransferURL.Origin
    let isContent: Bool
  }

  private var lines: [Key: Line] = [:]

  /// All of them, in no order.
  var all: [ExchangeOrder] { lines.values.flatMap(\.rest) }

  mutating func append(_ order: ExchangeOrder) {
    let key = Key(origin: order.request.url.origin, isContent: order.request.isContent)
    lines[key, default: Line()].append(order)
  }

  /// Takes out those with the given numbers.
  mutating func remove(_ ids: Set<UInt64>) -> [ExchangeOrder] {
    var removed: [ExchangeOrder] = []
    for key in Array(lines.keys) {
      removed += lines[key]?.remove(ids) ?? []
      tidy(key)
    }
    return removed
  }

  /// Whether somebody waits for that server.
  func contains(_ origin: TransferURL.Origin) -> Bool {
    lines[Key(origin: origin, isContent: true)] != nil || lines[Key(origin: origin, isContent: false)] != nil
  }

  /// Whether there is one of a kind for a server that has room.
  func has(content: Bool, where hasRoom: (TransferURL.Origin) -> Bool) -> Bool {
    next(content: content, where: hasRoom) != nil
  }

  /// Takes the one of a kind that waits longest for a server that has room.
  mutating func takeFirst(content: Bool, where hasRoom: (TransferURL.Origin) -> Bool) -> ExchangeOrder? {
    guard let key = next(content: content, where: hasRoom) else { return nil }
    defer { tidy(key) }
    return lines[key]?.removeFirst()
  }

  private func next(content: Bool, where hasRoom: (TransferURL.Origin) -> Bool) -> Key? {
    lines.filter { $0.key.isContent == content && hasRoom($0.key.origin) }
      .min { $0.value.first?.id ?? 0 < $1.value.first?.id ?? 0 }?.key
  }

  private mutating func tidy(_ key: Key) {
    if lines[key]?.first == nil { lines[key] = nil }
  }
}
