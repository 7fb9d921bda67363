/// Lengths of time for people.
public enum DurationText {
  /// The two largest units that matter: `0.4s`, `42s`, `1m 12s`, `3h 05m`, `2d 07h`. Tenths of a second appear
  /// below ten seconds, where they are not zero. A negative duration counts as none.
  public static func format(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    guard seconds >= 0, attoseconds >= 0 else { return "0s" }
    if seconds < 10 {
      let tenths = seconds * 10 + (attoseconds + 50_000_000_000_000_000) / 100_000_000_000_000_000
      return tenths % 10 == 0 ? "\(tenths / 10)s" : "\(tenths / 10).\(tenths % 10)s"
    }
    let whole = seconds + (attoseconds >= 500_000_000_000_000_000 ? 1 : 0)
    switch whole {
    case ..<60: return "\(whole)s"
    case ..<3600: return "\(whole / 60)m \(twoDigits(whole % 60))s"
    case ..<86_400: return "\(whole / 3600)h \(twoDigits(whole / 60 % 60))m"
    default: return "\(whole / 86_400)d \(twoDigits(whole / 3600 % 24))h"
    }
  }
}

/// A number from 0 to 99 in two digits.
func twoDigits(_ number: some BinaryInteger) -> String {
  number < 10 ? "0\(number)" : "\(number)"
}
