import Foundation

/// As much of JSON Schema 2020-12 as the schema of `bundle.json` uses. A keyword that it does not know is a failure: what
/// is not checked would look as if it held.
struct JSONSchema {
  private let root: [String: Any]
  /// Keywords that say nothing about a value.
  private static let remarks: Set<String> = ["$schema", "$id", "$defs", "title", "description"]

  init(_ bytes: Data) throws {
    guard let object = try JSONSerialization.jsonObject(with: bytes) as? [String: Any] else {
      throw Fault("the schema is no object")
    }
    root = object
  }

  struct Fault: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  /// What is wrong with a document, each with its place; empty when it is valid.
  func problems(in document: Data) throws -> [String] {
    try problems(JSONSerialization.jsonObject(with: document, options: .fragmentsAllowed), root, "")
  }

  /// A definition below `$defs`.
  func definition(_ name: String) throws -> [String: Any] {
    guard let found = (root["$defs"] as? [String: Any])?[name] as? [String: Any] else {
      throw Fault("there is no \(name) below $defs")
    }
    return found
  }

  private func problems(_ value: Any, _ schema: [String: Any], _ place: String) throws -> [String] {
    var found: [String] = []
    for (keyword, rule) in schema where !Self.remarks.contains(keyword) {
      switch (keyword, rule) {
      case ("$ref", let name as String):
        found += try problems(value, definition(String(name.dropFirst("#/$defs/".count))), place)
      case ("if", let condition as [String: Any]):
        guard let then = schema["then"] as? [String: Any] else { throw Fault("if without then") }
        if try problems(value, condition, place).isEmpty { found += try problems(value, then, place) }
      case ("then", _): break
      case ("type", let name as String):
        if !Self.isOf(name, value) { found.append("\(place) is not of type \(name)") }
      case ("enum", let values as [Any]):
        if !values.contains(where: { Self.same($0, value) }) {
          found.append("\(place) is none of the values")
        }
      case ("const", _):
        if !Self.same(rule, value) { found.append("\(place) is another value") }
      case ("pattern", let text as String):
        if let value = value as? String, try Regex(text).firstMatch(in: value) == nil {
          found.append("\(place) does not match \(text)")
        }
      case ("minLength", let least as Int):
        if let value = value as? String, value.unicodeScalars.count < least {
          found.append("\(place) is too short")
        }
      case ("minimum", let least as NSNumber):
        if let value = Self.number(value), value.compare(least) == .orderedAscending {
          found.append("\(place) is too small")
        }
      case ("maximum", let most as NSNumber):
        if let value = Self.number(value), value.compare(most) == .orderedDescending {
          found.append("\(place) is too large")
        }
      default:
        found += try parts(of: value, keyword, rule, schema, place)
      }
    }
    return found
  }

  private func parts(
    of value: Any, _ keyword: String, _ rule: Any, _ schema: [String: Any], _ place: String
  ) throws -> [String] {
    switch (keyword, rule) {
    case ("required", let names as [String]):
      guard let object = value as? [String: Any] else { return [] }
      return names.filter { object[$0] == nil }.map { "\(place)/\($0) is missing" }
    case ("properties", let rules as [String: [String: Any]]):
      guard let object = value as? [String: Any] else { return [] }
      return try object.flatMap { name, part in
        try rules[name].map { try problems(part, $0, "\(place)/\(name)") } ?? []
      }
    case ("additionalProperties", let other as [String: Any]):
      guard let object = value as? [String: Any] else { return [] }
      let known = schema["properties"] as? [String: Any] ?? [:]
      return try object.filter { known[$0.key] == nil }.flatMap { try problems($1, other, "\(place)/\($0)") }
    case ("propertyNames", let names as [String: Any]):
      guard let object = value as? [String: Any] else { return [] }
      return try object.keys.flatMap { try problems($0, names, "\(place)/\($0)") }
    case ("items", let each as [String: Any]):
      guard let array = value as? [Any] else { return [] }
      return try array.enumerated().flatMap { try problems($1, each, "\(place)/\($0)") }
    default: throw Fault("the keyword \(keyword) is not known here")
    }
  }

  private static func number(_ value: Any) -> NSNumber? { isOf("boolean", value) ? nil : value as? NSNumber }

  private static func isOf(_ type: String, _ value: Any) -> Bool {
    switch type {
    case "object": value is [String: Any]
    case "array": value is [Any]
    case "string": value is String
    case "boolean": (value as? NSNumber).map { String(cString: $0.objCType) == "c" } ?? false
    case "integer": number(value).map { $0.doubleValue.rounded() == $0.doubleValue } ?? false
    default: false
    }
  }

  private static func same(_ one: Any, _ other: Any) -> Bool {
    if let one = one as? String { return other as? String == one }
    return (one as? NSNumber) == (other as? NSNumber)
  }
}
