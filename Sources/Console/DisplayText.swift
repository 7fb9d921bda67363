/// Text on its way to a terminal: what it may contain and how wide it is.
enum DisplayText {
  /// Removes everything that a terminal might take for a command or that changes how the text around it reads:
  /// control characters, invisible format characters (bidirectional overrides among them) and separators of
  /// lines. Names come from servers, and a server must not be able to draw on the user's screen.
  ///
  /// - Parameters:
  ///   - keepingLines: Whether a line feed stays; otherwise it becomes a space.
  ///   - keepingTabs: Whether a tab stays; otherwise it becomes a space.
  static func clean(_ text: String, keepingLines: Bool = false, keepingTabs: Bool = false) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n" where keepingLines, "\t" where keepingTabs: result.append(scalar)
      case "\n", "\t": result.append(" ")
      default: if !isDangerous(scalar) { result.append(scalar) }
      }
    }
    return String(result)
  }

  /// JSON text in which what a terminal might take for a command stands as an escape (RFC 8259, section 7): the value is
  /// the same, and the text can do nothing.
  static func escapingJSON(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0 != "\n" && isDangerous($0) }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      guard scalar != "\n", isDangerous(scalar) else {
        result.unicodeScalars.append(scalar)
        continue
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return result
  }

  private static func isDangerous(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
    default: false
    }
  }

  /// The number of columns a text takes: two for wide East Asian characters and emoji, none for marks that
  /// combine with the character before.
  ///
  /// Source: Unicode Standard Annex #11, in the ranges that matter for names.
  static func width(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + width($1) }
  }

  private static func width(_ scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x300 { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
      0xff01...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff,
      0x20000...0x3fffd:
      return 2
    default: return 1
    }
  }

  /// The text with spaces up to a width: behind it, or before it when `right` is set.
  static func pad(_ text: String, to columns: Int, right: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, columns - width(text)))
    return right ? space + text : text + space
  }

  /// As much of the text as fits into a width; where it was cut it ends in `…`.
  static func truncate(_ text: String, to columns: Int) -> String {
    guard width(text) > columns else { return text }
    guard columns > 0 else { return "" }
    var result = ""
    var used = 0
    for character in text {
      let wide = width(String(character))
      if used + wide > columns - 1 { break }
      result.append(character)
      used += wide
    }
    return result + "…"
  }
}
