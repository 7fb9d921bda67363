import Transfer

/// What a registry says of the pulls it grants: Docker Hub's fields `ratelimit-limit` and `ratelimit-remaining`
/// (docs.docker.com, "Docker Hub pull usage and limits").
public struct RateLimit: Sendable, Hashable, CustomStringConvertible {
  /// Pulls in a window.
  public let limit: Int
  /// Pulls that are left of it.
  let remaining: Int
  /// The window's length in seconds, if given.
  public let window: Int?

  /// Reads the fields of an answer; `nil` when there are none.
  init?(_ fields: HTTPFields) {
    guard let limit = fields["ratelimit-limit"].flatMap(Self.parse),
      let remaining = fields["ratelimit-remaining"].flatMap(Self.parse)
    else { return nil }
    self.limit = limit.count
    self.remaining = remaining.count
    window = limit.window ?? remaining.window
  }

  /// `3 of 100 pulls in 6 hours are left`
  public var description: String {
    "\(remaining) of \(limit) pulls\(window.map { " in \(Self.text($0))" } ?? "") are left"
  }

  /// How scarce pulls are: it is said again when this changes, not for each pull.
  var scarcity: Int {
    if remaining * 20 <= limit { return 2 }
    return remaining * 4 <= limit ? 1 : 0
  }

  /// `100;w=21600`
  private static func parse(_ text: String) -> (count: Int, window: Int?)? {
    let parts = text.split(separator: ";").map { $0.filter { !$0.isWhitespace } }
    guard let count = parts.first.flatMap({ Int($0) }), (0...1_000_000_000).contains(count) else {
      return nil
    }
    let window = parts.dropFirst().first { $0.hasPrefix("w=") }.flatMap { Int($0.dropFirst(2)) }
    return (count, window)
  }

  private static func text(_ seconds: Int) -> String {
    switch seconds {
    case 3600: "an hour"
    case let seconds where seconds % 3600 == 0 && seconds > 0: "\(seconds / 3600) hours"
    default: "\(seconds) seconds"
    }
  }
}

/// What a client of registries has to tell.
public enum RegistryEvent: Sendable, Equatable, CustomStringConvertible {
  /// A registry told how many pulls are left.
  case rateLimit(registry: String, RateLimit)
  /// A registry limits requests; no request is sent to it for so long.
  case waiting(registry: String, Duration)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .rateLimit(let registry, let limit): "\(registry): \(limit)."
    case .waiting(let registry, let pause):
      "\(registry) limits requests: no request is sent to it for \(max(1, pause.components.seconds)) s."
    }
  }
}
