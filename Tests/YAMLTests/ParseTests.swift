import Testing
import YAML

@Suite struct ParseTests {
  private func parse(_ text: String) throws -> YAMLNode {
    try #require(try YAML.parse(text, source: "f.yml"))
  }

  private func message(_ text: String, _ limits: YAMLLimits = .default) -> String {
    do {
      _ = try YAML.parse(text, source: "f.yml", limits: limits)
      return "no error"
    } catch { return error.description }
  }

  @Test func aDocumentKeepsOrderAndPositions() throws {
    let node = try parse("# comment\n---\nb: 1\na:\n  - x\n  - {k: 'ü', l: y}\n")
    let mapping = try #require(node.mapping)
    #expect(mapping.entries.map(\.key.string) == ["b", "a"])
    let inner = try #require(node["a"]?.sequence?.last)
    #expect(inner.position == YAMLPosition(line: 6, column: 5))
    #expect(inner["l"]?.position == YAMLPosition(line: 6, column: 17))
    #expect(inner["k"]?.string == "ü")
    #expect(inner["k"]?.scalar?.style == .singleQuoted)
    #expect(node["missing"] == nil)
  }

  @Test(arguments: ["", "# only a comment\n", "---\n", "---\n# nothing\n...\n", "\u{feff}"])
  func emptyDocumentsAreNil(_ text: String) throws {
    #expect(try YAML.parse(text, source: "f.yml") == nil)
  }

  @Test func tagsAndStylesOfKubesprayLikeFiles() throws {
    let node = try parse(
      """
      url: "https://dl.k8s.io/v{{ kube_version }}/kubelet"
      raw: !unsafe "{{ not.templated }}"
      folded: >-
        a
        b
      literal: |
        a
        b
      expression: >-
        {{ a if b
           else c }}
      """)
    #expect(node["url"]?.string == "https://dl.k8s.io/v{{ kube_version }}/kubelet")
    #expect(node["raw"]?.tag == "!unsafe")
    #expect(node["folded"]?.string == "a b")
    #expect(node["literal"]?.string == "a\nb\n")
    #expect(node["literal"]?.scalar?.style == .literal)
    #expect(node["expression"]?.string == "{{ a if b\n   else c }}")
  }

  @Test(
    arguments: [
      ("~", nil), ("null", nil), ("", nil), ("!!null x", nil), ("'null'", "null"), ("!!str", ""),
      ("!!str null", "null"), ("010", "010"), ("1.10", "1.10"), ("yes", "yes"), ("[]", nil),
    ] as [(String, String?)])
  func stringView(_ text: String, _ expected: String?) throws {
    #expect(try parse("k: \(text)")["k"]?.string == expected)
  }

  @Test(
    arguments: [
      ("true", true), ("True", true), ("YES", true), ("on", true), ("off", false), ("No", false),
      ("tRue", nil), ("'true'", nil), ("y", nil), ("1", nil), ("", nil), ("!!bool 'yes'", true),
    ] as [(String, Bool?)])
  func boolView(_ text: String, _ expected: Bool?) throws {
    #expect(try parse("k: \(text)")["k"]?.bool == expected)
  }

  @Test(
    arguments: [
      ("0", 0), ("-3", -3), ("35000", 35000), ("010", nil), ("0x10", nil), ("1_000", nil), ("1:30", nil),
      ("'5'", nil), ("'-'", nil), ("+5", nil), ("99999999999999999999", nil), ("", nil),
    ] as [(String, Int?)])
  func intView(_ text: String, _ expected: Int?) throws {
    #expect(try parse("k: \(text)")["k"]?.int == expected)
  }

  @Test(arguments: [
    ("a: 1\n\tb: 2\n", "f.yml:2:1: a tab cannot be used for indentation; use spaces"),
    ("a:\n\tb: 2\n", "f.yml:2:1: a tab cannot be used for indentation; use spaces"),
    ("a: \"\u{7}\"\n", "f.yml:1:5: the control character U+0007 is not allowed"),
    ("ü: x\0\n", "f.yml:1:5: the control character U+0000 is not allowed"),
    ("a: [1, 2\nb: 3\n", "f.yml:2:2: did not find expected ',' or ']'"),
    ("a: 1\n b: 2\n", "f.yml:2:3: mapping values are not allowed in this context"),
    (
      "a: \"open",
      "f.yml:1:9: found unexpected end of stream (while scanning a quoted scalar that begins at line 1)"
    ),
    ("a: 1\n---\nb: 2\n", "f.yml:2:1: a second document begins here; the file must hold one"),
    ("a: 1\nb: 2\na: 3\n", "f.yml:3:1: the key \"a\" is given twice: first at line 1, column 1"),
    ("a: 1\n'a': 3\n", "f.yml:2:1: the key \"a\" is given twice: first at line 1, column 1"),
    ("a: *b\n", "f.yml:1:4: the alias *b has no anchor &b before it"),
    ("a: &b [1, *b]\n", "f.yml:1:11: the alias *b is used inside its own anchor of line 1"),
    ("a: &b {k: {l: *b}}\n", "f.yml:1:15: the alias *b is used inside its own anchor of line 1"),
    ("<<: 3\n", "f.yml:1:1: << needs a mapping or a list of mappings to merge"),
    ("<<: [{a: 1}, 3]\n", "f.yml:1:14: only mappings can be merged by <<"),
  ])
  func errorsNameTheirPlace(_ text: String, _ expected: String) {
    #expect(message(text).hasPrefix(expected), "\(message(text))")
  }

  @Test func invalidUTF8IsRefusedWithItsPlace() {
    let error = #expect(throws: YAMLError.self) {
      try YAML.parse(bytes: Array("a: 1\nü: ".utf8) + [0xff, 0x0a], source: "f.yml")
    }
    #expect(error?.position == YAMLPosition(line: 2, column: 4))
    #expect(error?.message.contains("not valid UTF-8") == true)
  }

  @Test func aFileThatIsNotThereIsNamed() {
    let error = #expect(throws: YAMLError.self) { try YAML.load("/nonexistent/f.yml") }
    #expect(error?.description == "/nonexistent/f.yml: the file cannot be read: No such file or directory")
  }

  @Test func anEndlessFileIsRefused() {
    let error = #expect(throws: YAMLError.self) { try YAML.load("/dev/zero") }
    #expect(error?.message.contains("larger than") == true)
  }

  @Test func duplicateKeysMayBeAccepted() throws {
    let node = try YAML.parse("a: 1\nb: 2\na: 3\n", source: "f.yml", duplicateKeys: .lastWins)
    #expect(node?["a"]?.string == "3")
    #expect(node?.mapping?.entries.count == 2)
  }
}
