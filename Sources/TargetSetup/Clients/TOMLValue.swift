/// A value of TOML (toml.io, version 1.0.0).
indirect enum TOMLValue: Sendable, Equatable {
  case text(String)
  case integer(Int64)
  case number(Double)
  case boolean(Bool)
  /// A date or a time, as it is written.
  case date(String)
  case list([TOMLValue])
  case table([String: TOMLValue])

  /// What lies below some keys; `nil` when there is nothing.
  subscript(_ keys: String...) -> TOMLValue? {
    keys.reduce(self as TOMLValue?) { value, key in
      if case .table(let members) = value { members[key] } else { nil }
    }
  }

  /// The text that it is.
  var text: String? { if case .text(let text) = self { text } else { nil } }

  /// The boolean that it is.
  var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }

  /// The values of the list that it is; none when it is none.
  var list: [TOMLValue] { if case .list(let values) = self { values } else { [] } }

  /// Reads a document.
  ///
  /// - Throws: ``TOMLError``.
  init(parsing bytes: [UInt8]) throws(TOMLError) {
    var reader = TOMLReader(bytes)
    self = try reader.document()
  }
}

/// Why a text is not TOML.
struct TOMLError: Error, Equatable, CustomStringConvertible {
  /// The line, counted from 1.
  let line: Int
  /// What is wrong there.
  let reason: String

  var description: String { "line \(line): \(reason)" }
}
