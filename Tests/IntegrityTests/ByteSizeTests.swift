import Integrity
import Testing

@Suite struct ByteSizeTests {
  @Test func sumsThatAreTooLargeStayTheLargestNumber() {
    #expect([1, 2, 3].byteSum(of: { $0 }) == 6)
    #expect([Int64.max, 1].byteSum(of: \.self) == .max)
    #expect(Array(repeating: 4_800_000_000_000_000_000, count: 2).byteSum(of: { $0 }) == Int64.max)
    #expect(ByteSize.sum(.max, .max, 1) == .max)
  }

  @Test(arguments: [
    "9223372036854775807", "-1", "1e300", "", "+1", " 1", "18446744073709551616", "1152921504606846977",
  ])
  func notASize(_ text: String) { #expect(ByteSize.parse(text) == nil) }

  @Test(arguments: [("0", 0), ("007", 7), ("1152921504606846976", 1 << 60)])
  func aSize(_ text: String, _ size: Int64) { #expect(ByteSize.parse(text) == size) }
}
