import CYAML

/// One step of a YAML stream, copied out of libyaml's memory.
struct Event {
  enum Kind {
    case streamStart
    case streamEnd
    case documentStart
    case documentEnd
    case alias(String)
    case scalar(YAMLScalar)
    case sequenceStart
    case sequenceEnd
    case mappingStart
    case mappingEnd
  }

  let kind: Kind
  let position: YAMLPosition
  var anchor: String?
  var tag: String?
}

/// Owns a libyaml parser and the bytes it reads.
final class EventParser {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let input: UnsafeMutableBufferPointer<UInt8>
  private let source: String

  /// Begins to parse a file of UTF-8.
  ///
  /// - Throws: ``YAMLError`` when libyaml has no memory.
  init(_ bytes: [UInt8], source: String) throws(YAMLError) {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    guard yaml_parser_initialize(parser) == 1 else {
      parser.deallocate()
      throw YAMLError(source: source, "there is not enough memory to parse the file")
    }
    self.parser = parser
    self.source = source
    input = .allocate(capacity: bytes.count)
    _ = input.initialize(from: bytes)
    // Without this, libyaml takes a file that begins with a UTF-16 mark for UTF-16, and byte offsets of
    // errors would mean something else.
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, input.baseAddress, input.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
    input.deallocate()
  }

  /// The next event; after the end of the stream, that end again.
  ///
  /// - Throws: ``YAMLError`` where the file is not YAML.
  func next() throws(YAMLError) -> Event {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
    defer { yaml_event_delete(&event) }
    let position = YAMLPosition(event.start_mark)
    switch event.type {
    case YAML_STREAM_START_EVENT: return Event(kind: .streamStart, position: position)
    case YAML_DOCUMENT_START_EVENT: return Event(kind: .documentStart, position: position)
    case YAML_DOCUMENT_END_EVENT: return Event(kind: .documentEnd, position: position)
    case YAML_ALIAS_EVENT:
      return Event(kind: .alias(text(event.data.alias.anchor) ?? ""), position: position)
    case YAML_SCALAR_EVENT:
      let data = event.data.scalar
      let bytes = UnsafeBufferPointer(start: data.value, count: data.length)
      let scalar = YAMLScalar(text: String(decoding: bytes, as: UTF8.self), style: .init(data.style))
      return Event(kind: .scalar(scalar), position: position, anchor: text(data.anchor), tag: text(data.tag))
    case YAML_SEQUENCE_START_EVENT:
      let data = event.data.sequence_start
      return Event(kind: .sequenceStart, position: position, anchor: text(data.anchor), tag: text(data.tag))
    case YAML_SEQUENCE_END_EVENT: return Event(kind: .sequenceEnd, position: position)
    case YAML_MAPPING_START_EVENT:
      let data = event.data.mapping_start
      return Event(kind: .mappingStart, position: position, anchor: text(data.anchor), tag: text(data.tag))
    case YAML_MAPPING_END_EVENT: return Event(kind: .mappingEnd, position: position)
    default: return Event(kind: .streamEnd, position: position)
    }
  }

  private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    pointer.map { String(cString: $0) }
  }
}

/// Turning libyaml's complaint into one sentence at the right place.
extension EventParser {
  private func failure() -> YAMLError {
    let state = parser.pointee
    let problem = state.problem.map { String(cString: $0) } ?? "the file cannot be parsed"
    switch state.error {
    case YAML_MEMORY_ERROR:
      return YAMLError(source: source, "there is not enough memory to parse the file")
    case YAML_READER_ERROR:
      return YAMLError(
        source: source, position: position(ofByte: state.problem_offset),
        readerMessage(state.problem_value, problem))
    default:
      let position = YAMLPosition(state.problem_mark)
      if character(at: state.problem_mark.index) == "\t" {
        return YAMLError(
          source: source, position: position, "a tab cannot be used for indentation; use spaces")
      }
      guard let context = state.context.map({ String(cString: $0) }) else {
        return YAMLError(source: source, position: position, problem)
      }
      return YAMLError(
        source: source, position: position,
        "\(problem) (\(context) that begins at line \(state.context_mark.line + 1))")
    }
  }

  private func readerMessage(_ value: Int32, _ problem: String) -> String {
    guard problem.contains("control") else { return "the file is not valid UTF-8 here (\(problem))" }
    let hex = String(value, radix: 16, uppercase: true)
    return
      "the control character U+\(String(repeating: "0", count: max(0, 4 - hex.count)))\(hex) is not allowed"
  }

  /// Where a byte lies, since libyaml gives no line for the characters it cannot read.
  private func position(ofByte offset: Int) -> YAMLPosition {
    var line = 1
    var column = 1
    for byte in input.prefix(offset) {
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xc0 != 0x80 {
        column += 1
      }
    }
    return YAMLPosition(line: line, column: column)
  }

  private func character(at index: Int) -> Unicode.Scalar? {
    String(decoding: input, as: UTF8.self).unicodeScalars.dropFirst(index).first
  }
}

extension YAMLPosition {
  /// libyaml counts from 0.
  fileprivate init(_ mark: yaml_mark_t) {
    self.init(line: mark.line + 1, column: mark.column + 1)
  }
}

extension YAMLScalar.Style {
  fileprivate init(_ style: yaml_scalar_style_t) {
    switch style {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: self = .singleQuoted
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: self = .doubleQuoted
    case YAML_LITERAL_SCALAR_STYLE: self = .literal
    case YAML_FOLDED_SCALAR_STYLE: self = .folded
    default: self = .plain
    }
  }
}
