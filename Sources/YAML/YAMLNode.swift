/// A value in a YAML document, with aliases replaced by what they stand for and merge keys (`<<`) applied.
public struct YAMLNode: Sendable {
  /// The three kinds of node.
  public enum Content: Sendable {
    /// A single value.
    case scalar(YAMLScalar)
    /// A list.
    case sequence([YAMLNode])
    /// Keys and values.
    case mapping(YAMLMapping)
  }

  /// What the node holds.
  public let content: Content
  /// The tag written in the file (`!unsafe`, or `tag:yaml.org,2002:str` for `!!str`); nil when there is none.
  public let tag: String?
  /// Where the node begins; for one that came by an alias or a merge key, where it was defined.
  public let position: YAMLPosition
  /// The file's name as the user knows it.
  public let source: String
  /// The number of nodes in this one, itself included, aliases expanded.
  let weight: Int
  /// The number of levels below and including this one; 0 for a scalar.
  let height: Int

  init(_ content: Content, tag: String?, position: YAMLPosition, source: String) {
    self.content = content
    self.tag = tag
    self.position = position
    self.source = source
    switch content {
    case .scalar:
      (weight, height) = (1, 0)
    case .sequence(let nodes):
      weight = nodes.reduce(1) { $0 + $1.weight }
      height = nodes.reduce(0) { max($0, $1.height) } + 1
    case .mapping(let mapping):
      weight = mapping.entries.reduce(1) { $0 + $1.key.weight + $1.value.weight }
      height = mapping.entries.reduce(0) { max($0, $1.key.height, $1.value.height) } + 1
    }
  }

  /// An error about this place.
  public func error(_ message: String) -> YAMLError {
    YAMLError(source: source, position: position, message)
  }
}

extension YAMLNode {
  /// The scalar, if this is one.
  public var scalar: YAMLScalar? {
    if case .scalar(let scalar) = content { scalar } else { nil }
  }

  /// The items, if this is a sequence.
  public var sequence: [YAMLNode]? {
    if case .sequence(let nodes) = content { nodes } else { nil }
  }

  /// The keys and values, if this is a mapping.
  public var mapping: YAMLMapping? {
    if case .mapping(let mapping) = content { mapping } else { nil }
  }

  /// The value of a key, if this is a mapping that has it.
  public subscript(key: String) -> YAMLNode? { mapping?[key] }
}

/// Typed views, by the rules of YAML 1.1 that Ansible follows (yaml.org/type).
extension YAMLNode {
  /// Whether this is a plain `~`, `null` or nothing at all, without a tag that says otherwise.
  public var isNull: Bool {
    guard let scalar else { return false }
    if let tag { return tag == CoreTag.null }
    return scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.text)
  }

  /// The text of a scalar, whatever its style; nil for null and for collections.
  public var string: String? { isNull ? nil : scalar?.text }

  /// The truth value of a plain `true`, `false`, `yes`, `no`, `on` or `off` (also `True` and `TRUE`); nil for
  /// anything else.
  public var bool: Bool? {
    guard let scalar, tag == CoreTag.bool || (tag == nil && scalar.style == .plain) else { return nil }
    let lowered = scalar.text.lowercased()
    let capitalized = lowered.prefix(1).uppercased() + lowered.dropFirst()
    guard [lowered, capitalized, lowered.uppercased()].contains(scalar.text) else { return nil }
    switch lowered {
    case "true", "yes", "on": return true
    case "false", "no", "off": return false
    default: return nil
    }
  }

  /// The value of a plain decimal integer; nil for anything else.
  ///
  /// YAML 1.1's other forms (`010` for 8, `1_000`, `1:30` for 90) are not taken for numbers: in the files
  /// read here they are always mistakes or texts.
  public var int: Int? {
    guard let scalar, tag == CoreTag.int || (tag == nil && scalar.style == .plain) else { return nil }
    let digits = scalar.text.hasPrefix("-") ? scalar.text.dropFirst() : Substring(scalar.text)
    guard digits == "0" || !digits.hasPrefix("0"), digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
      return nil
    }
    return Int(scalar.text)
  }
}

/// The tags of the YAML core types that change how a scalar is read.
enum CoreTag {
  static let null = "tag:yaml.org,2002:null"
  static let bool = "tag:yaml.org,2002:bool"
  static let int = "tag:yaml.org,2002:int"
  static let merge = "tag:yaml.org,2002:merge"
}

/// A single value as it is written.
public struct YAMLScalar: Hashable, Sendable {
  /// How the value is written in the file.
  public enum Style: Sendable {
    /// No quotes: the only style that can mean null, a truth value or a number.
    case plain
    /// `'…'`
    case singleQuoted
    /// `"…"`
    case doubleQuoted
    /// `|`
    case literal
    /// `>`
    case folded
  }

  /// The value with quotes, escapes and folding undone.
  public let text: String
  /// How it was written.
  public let style: Style
}
