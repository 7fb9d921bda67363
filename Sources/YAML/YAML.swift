import Files
import SystemPackage

/// Reads YAML documents: kubespray's variable files, inventories and this program's own configuration.
///
/// The syntax is what libyaml accepts (YAML 1.1), so whatever Ansible can load loads here too. Values are not
/// converted: a scalar keeps its text, and ``YAMLNode`` offers the typed views that a caller asks for.
public enum YAML {
  /// Parses a text that holds at most one document.
  ///
  /// - Parameters:
  ///   - text: The whole file.
  ///   - source: The file's name as the user knows it; it stands in front of every error message.
  ///   - limits: What is refused as too large.
  ///   - duplicateKeys: What to do about a key that a mapping has twice.
  /// - Returns: The document, or nil when the text has none or an empty one.
  /// - Throws: ``YAMLError`` at the first place that is not well-formed or exceeds a limit.
  public static func parse(
    _ text: String, source: String, limits: YAMLLimits = .default,
    duplicateKeys: YAMLDuplicateKeys = .refused
  ) throws(YAMLError) -> YAMLNode? {
    try parse(bytes: Array(text.utf8), source: source, limits: limits, duplicateKeys: duplicateKeys)
  }

  /// Parses the bytes of a file, which must be UTF-8; see ``parse(_:source:limits:duplicateKeys:)``.
  public static func parse(
    bytes: [UInt8], source: String, limits: YAMLLimits = .default,
    duplicateKeys: YAMLDuplicateKeys = .refused
  ) throws(YAMLError) -> YAMLNode? {
    guard bytes.count <= limits.inputBytes else {
      throw YAMLError(
        source: source, "the file has \(bytes.count) bytes; at most \(limits.inputBytes) are accepted")
    }
    guard !bytes.starts(with: [0xff, 0xfe]), !bytes.starts(with: [0xfe, 0xff]) else {
      throw YAMLError(source: source, "the file is in UTF-16; save it as UTF-8")
    }
    // libyaml passes over a byte order mark, but counts it as the first column of the first line.
    let bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    guard tagDirectives(bytes) <= limits.tagDirectives else {
      throw YAMLError(source: source, "the file has more than \(limits.tagDirectives) %TAG directives")
    }
    let parser = try EventParser(bytes, source: source)
    var composer = Composer(parser: parser, source: source, limits: limits, duplicateKeys: duplicateKeys)
    return try composer.composeDocument()
  }

  /// Reads and parses a file, whose path error messages name as it is given; see
  /// ``parse(_:source:limits:duplicateKeys:)``.
  ///
  /// - Throws: ``YAMLError`` when the file cannot be read or parsed.
  public static func load(
    _ path: String, limits: YAMLLimits = .default, duplicateKeys: YAMLDuplicateKeys = .refused
  ) throws(YAMLError) -> YAMLNode? {
    let bytes = try read(path, limit: limits.inputBytes)
    return try parse(bytes: bytes, source: path, limits: limits, duplicateKeys: duplicateKeys)
  }

  /// How often `%TAG` stands in the file: libyaml compares each such directive with all before it.
  private static func tagDirectives(_ bytes: [UInt8]) -> Int {
    let name = Array("%TAG".utf8)
    return bytes.indices.count { bytes[$0] == name[0] && bytes[$0...].starts(with: name) }
  }

  private static func read(_ path: String, limit: Int) throws(YAMLError) -> [UInt8] {
    do {
      return try readBytes(FilePath(path), limit: limit)
    } catch {
      let code = (error as? FileError)?.code ?? .ioError
      throw YAMLError(
        source: path,
        code == .fileTooLarge
          ? "the file is larger than the \(limit) bytes that are accepted"
          : "the file cannot be read: \(code)")
    }
  }
}
