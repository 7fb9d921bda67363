/// Sizes in bytes that others tell: servers, manifests, headers of archives. Swift ends the process where a sum of numbers
/// overflows, so a number from outside is held against ``range`` where it comes in, and sums are made by
/// `Sequence.byteSum(of:)`.
public enum ByteSize {
  /// What can be a size: up to 2^60 bytes, an exbibyte.
  public static let range: ClosedRange<Int64> = 0...(1 << 60)

  /// A number that was read, if it can be a size.
  public static func checked(_ number: Int64?) -> Int64? { number.flatMap { range.contains($0) ? $0 : nil } }

  /// The size that a text tells in decimal digits.
  public static func parse(_ text: String) -> Int64? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? checked(Int64(text)) : nil
  }

  /// The sum of sizes; the largest number where it would be larger than that.
  public static func sum(_ sizes: Int64...) -> Int64 { sizes.byteSum(of: \.self) }
}

extension Sequence {
  /// The sum of sizes in bytes; the largest number where it would be larger than that, which no disk has room for.
  public func byteSum(of size: (Element) throws -> Int64) rethrows -> Int64 {
    var total: Int64 = 0
    for element in self {
      let (sum, overflows) = total.addingReportingOverflow(try size(element))
      if overflows { return .max }
      total = sum
    }
    return total
  }
}
