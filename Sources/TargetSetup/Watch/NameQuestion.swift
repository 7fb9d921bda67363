/// A question to a name server (RFC 1035, section 4).
struct NameQuestion: Sendable, Equatable {
  /// The name without the last dot, in lower case; bytes that are not of a name of a host as `\\DDD` (section 5.1).
  let name: String
  /// The type: 1 is an IPv4 address, 28 an IPv6 address, 12 a name to an address.
  let type: UInt16
  /// The datagram up to the end of the question.
  private let bytes: [UInt8]

  private static let headerLength = 12
  private static let longestName = 255
  private static let longestLabel = 63

  /// Reads the first question of a datagram; `nil` for an answer, another operation than a query, or what is no message.
  init?(_ datagram: [UInt8]) {
    guard datagram.count > Self.headerLength, datagram[2] & 0xF8 == 0, datagram[4] == 0, datagram[5] == 1
    else {
      return nil
    }
    var labels: [String] = []
    var place = Self.headerLength
    while true {
      guard place < datagram.count else { return nil }
      let length = Int(datagram[place])
      place += 1
      if length == 0 { break }
      // Nothing stands before a first name that a shortened one could point to.
      guard length <= Self.longestLabel, place + length - Self.headerLength < Self.longestName,
        place + length <= datagram.count
      else { return nil }
      labels.append(Self.text(datagram[place..<place + length]))
      place += length
    }
    guard place + 4 <= datagram.count else { return nil }
    name = labels.joined(separator: ".")
    type = UInt16(datagram[place]) << 8 | UInt16(datagram[place + 1])
    bytes = Array(datagram[..<(place + 4)])
  }

  /// The answer that there is no such name, for sure and for all types (section 4.1.1: QR, AA, RA and RCODE 3).
  var denial: [UInt8] {
    var answer = bytes
    answer[2] = 0x84 | bytes[2] & 0x01
    answer[3] = 0x83
    // One question, and nothing in the other three sections.
    answer.replaceSubrange(4..<Self.headerLength, with: [0, 1, 0, 0, 0, 0, 0, 0])
    return answer
  }

  /// Whether a name for an address is asked for, which says nothing of what a machine wants to reach.
  var isReverse: Bool { name.hasSuffix(".in-addr.arpa") || name.hasSuffix(".ip6.arpa") }

  private static func text(_ label: ArraySlice<UInt8>) -> String {
    label.map { byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): String(UnicodeScalar(byte + 0x20))
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        String(UnicodeScalar(byte))
      default: "\\" + String(repeating: "0", count: 3 - "\(byte)".count) + "\(byte)"
      }
    }.joined()
  }
}
