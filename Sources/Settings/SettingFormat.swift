import SystemPackage

/// How a setting's value is written: one reader and one writer for files, environment and flags alike.
struct SettingFormat<Value: Sendable>: Sendable {
  /// Whether the text is a number or truth value, to be written to YAML without quotes.
  var isLiteral = false
  /// What is accepted, to complete "must be".
  let accepts: String
  /// All that is accepted, where that is a short list.
  var choices: [String] = []
  /// Nil for a text that is not accepted.
  let parse: @Sendable (String) -> Value?
  /// The canonical text, which ``parse`` reads back to the same value.
  let text: @Sendable (Value) -> String
}

extension SettingFormat {
  /// A value or nothing: nil is written as an empty text.
  static func optional<Wrapped>(_ format: SettingFormat<Wrapped>) -> Self where Value == Wrapped? {
    Self(accepts: format.accepts + ", or empty") {
      $0.isEmpty ? .some(nil) : format.parse($0).map(Optional.some)
    } text: {
      $0.map(format.text) ?? ""
    }
  }

  /// A value or the program's own choice: nil is written `auto`.
  static func automatic<Wrapped>(or format: SettingFormat<Wrapped>) -> Self where Value == Wrapped? {
    let choices = format.choices.isEmpty ? [] : ["auto"] + format.choices
    return Self(accepts: "auto or \(format.accepts)", choices: choices) {
      $0 == "auto" ? .some(nil) : format.parse($0).map(Optional.some)
    } text: {
      $0.map(format.text) ?? "auto"
    }
  }

  /// One of an enumeration's names.
  static func choice() -> Self where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    let names = Value.allCases.map(\.rawValue)
    return Self(accepts: names.joined(separator: " or "), choices: names) {
      Value(rawValue: $0)
    } text: {
      $0.rawValue
    }
  }
}

extension SettingFormat<Bool> {
  /// YAML 1.1's words for truth.
  static let bool = Self(isLiteral: true, accepts: "true or false") {
    switch $0.lowercased() {
    case "true", "yes", "on": true
    case "false", "no", "off": false
    default: nil
    }
  } text: {
    $0 ? "true" : "false"
  }
}

extension SettingFormat<Int> {
  /// A decimal number in a range.
  static func integer(_ range: ClosedRange<Int>) -> Self {
    Self(isLiteral: true, accepts: "a number from \(range.lowerBound) to \(range.upperBound)") { text in
      decimal(text).flatMap { range.contains($0) ? $0 : nil }
    } text: {
      String($0)
    }
  }
}

extension SettingFormat<Int64> {
  /// Bytes per second with curl's suffixes: K, M and G are powers of 1024 (curl(1), `--limit-rate`).
  static let rate = Self(
    accepts: "a number of bytes per second, optionally followed by K, M or G (10M), or 0 for no limit"
  ) { text in
    let suffix = text.last.flatMap { last in rateUnits.first { $0.suffix == String(last).uppercased() } }
    guard let number = decimal(String(suffix == nil ? text[...] : text.dropLast())) else { return nil }
    let (product, overflow) = Int64(number).multipliedReportingOverflow(by: suffix?.bytes ?? 1)
    return overflow ? nil : product
  } text: { rate in
    guard rate > 0, let unit = rateUnits.first(where: { rate.isMultiple(of: $0.bytes) }) else {
      return String(rate)
    }
    return "\(rate / unit.bytes)\(unit.suffix)"
  }
}

extension SettingFormat<Duration> {
  /// Whole seconds, `30` or `30s`.
  static func seconds(_ range: ClosedRange<Int>) -> Self {
    Self(accepts: "a number of seconds from \(range.lowerBound) to \(range.upperBound), such as 30s") {
      text in
      let digits = text.hasSuffix("s") ? String(text.dropLast()) : text
      return decimal(digits).flatMap { range.contains($0) ? .seconds($0) : nil }
    } text: {
      "\($0.components.seconds)s"
    }
  }
}

extension SettingFormat<Duration> {
  /// A length of time in one unit, `90m` or `24h`; without a unit, seconds.
  static let age = Self(accepts: "a length of time such as 30s, 90m, 24h or 7d, or 0s") { text in
    let unit = text.last.flatMap { last in ageUnits.first { $0.suffix == String(last).lowercased() } }
    guard let number = decimal(String(unit == nil ? text[...] : text.dropLast())) else { return nil }
    let (product, overflow) = Int64(number).multipliedReportingOverflow(by: unit?.seconds ?? 1)
    return overflow ? nil : .seconds(product)
  } text: { age in
    let seconds = age.components.seconds
    guard seconds > 0, let unit = ageUnits.first(where: { seconds.isMultiple(of: $0.seconds) }) else {
      return "\(seconds)s"
    }
    return "\(seconds / unit.seconds)\(unit.suffix)"
  }
}

extension SettingFormat<FilePath> {
  /// A path as it is written; `~` and variables are left alone, relative ones are below the current folder.
  static let path = Self(accepts: "a path without control characters") {
    $0.isEmpty || hasControls($0) ? nil : FilePath($0)
  } text: {
    $0.string
  }

  /// A path that begins with a slash.
  static let absolutePath = Self(accepts: "an absolute path such as /var/lib/registry") {
    $0.hasPrefix("/") && !hasControls($0) ? FilePath($0) : nil
  } text: {
    $0.string
  }
}

/// Digits only, without a leading zero; nil when it is not such a number or too large.
private func decimal(_ text: String) -> Int? {
  guard text == "0" || !text.hasPrefix("0"), text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
  return Int(text)
}

private let rateUnits: [(suffix: String, bytes: Int64)] = [("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)]

// The largest unit that fits is written, so a day reads back as 1d.
private let ageUnits: [(suffix: String, seconds: Int64)] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]

/// Whether a text holds a control character: such a name would break lists and messages.
func hasControls(_ text: String) -> Bool {
  text.unicodeScalars.contains { $0.properties.generalCategory == .control }
}
