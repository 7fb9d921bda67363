/// A number with the name of what it counts: `1 file`, `2 files`.
///
/// - Parameters:
///   - one: The name of one of them.
///   - several: The name of several, where more than an s is to be added.
public func counted(_ number: some BinaryInteger, _ one: String, _ several: String? = nil) -> String {
  "\(number) \(number == 1 ? one : several ?? one + "s")"
}
