/// A number with the name of what it counts: `1 file`, `2 files`. The name of several is that of one with an s, unless it
/// is given.
public func counted(_ number: some BinaryInteger, _ one: String, _ several: String? = nil) -> String {
  "\(number) \(number == 1 ? one : several ?? one + "s")"
}
