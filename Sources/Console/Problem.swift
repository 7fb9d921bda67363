/// Something that went wrong, in the parts that a person and a script ask for.
///
/// The floors below throw facts; each program turns them into problems in one place, with the advice that is right for
/// that program.
public struct Problem: Error, Sendable, Hashable, Encodable, CustomStringConvertible {
  /// What kind of problem it is, in a word that stays the same from release to release, such as `not-found`.
  public var kind: String
  /// The file, image, stage or host that it happened to.
  public var subject: String
  /// What went wrong.
  public var detail: String
  /// What to do next, in finished sentences.
  public var advice: String?

  /// A problem of its parts; `detail` needs no full stop.
  public init(kind: String, subject: String, detail: String, advice: String? = nil) {
    self.kind = kind
    self.subject = subject
    self.detail = detail
    self.advice = advice
  }

  /// What went wrong and what to do next.
  public var sentence: String {
    guard let advice, !advice.isEmpty else { return detail }
    // Below the last lines of a command's output, advice begins a line of its own.
    if detail.contains("\n") { return "\(detail)\n\(advice)" }
    return detail.hasSuffix(".") ? "\(detail) \(advice)" : "\(detail). \(advice)"
  }

  /// The subject, what went wrong, and what to do next.
  public var description: String { subject.isEmpty ? sentence : "\(subject): \(sentence)" }

  /// The same problem with more to do about it.
  public func advising(_ more: String?) -> Problem {
    guard let more else { return self }
    var problem = self
    problem.advice = advice.map { "\($0) \(more)" } ?? more
    return problem
  }
}

/// Several things that went wrong at once; each is reported by itself.
public struct Problems: Error, Sendable, CustomStringConvertible {
  /// The problems.
  public let all: [Problem]

  /// Problems in the order in which they are reported.
  public init(_ all: [Problem]) { self.all = all }

  /// One problem a line.
  public var description: String { all.map(\.description).joined(separator: "\n") }
}

extension Problem {
  /// The same problem with texts that can do nothing to a terminal; see ``DisplayText``.
  var cleaned: Problem {
    Problem(
      kind: DisplayText.clean(kind), subject: DisplayText.clean(subject),
      detail: DisplayText.clean(detail, keepingLines: true),
      advice: advice.map { DisplayText.clean($0, keepingLines: true) })
  }

  /// The object in JSON events; `null` for an absent advice.
  var json: JSONValue {
    .object([
      ("kind", .string(kind)), ("subject", .string(subject)), ("detail", .string(detail)),
      ("advice", .optional(advice)),
    ])
  }
}
