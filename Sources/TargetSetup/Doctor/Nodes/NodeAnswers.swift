/// What `look-at-node.sh` has said of a node.
struct NodeAnswers: Sendable {
  private let values: [String: [[String]]]

  /// Reads its output; `nil` where it did not come to its end. What a login prints before it does not matter.
  init?(_ output: String) {
    let lines = output.split(whereSeparator: \.isNewline)
    guard let start = lines.firstIndex(of: "look 1"), lines[start...].contains("end 1") else { return nil }
    var values: [String: [[String]]] = [:]
    for line in lines[start...] {
      let words = line.split(separator: " ").map(String.init)
      guard let name = words.first else { continue }
      values[name, default: []].append(Array(words.dropFirst()))
    }
    self.values = values
  }

  /// All answers of a name, each as words.
  func all(_ name: String) -> [[String]] { values[name] ?? [] }

  /// The first word of the first answer.
  func word(_ name: String) -> String? { all(name).first?.first }

  /// The first word of each answer.
  func words(_ name: String) -> [String] { all(name).compactMap(\.first) }

  /// A number.
  func number(_ name: String) -> Int64? { word(name).flatMap { Int64($0) } }
}
