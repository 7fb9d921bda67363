import Testing
import YAML

@Suite struct FieldsTests {
  private func problems(_ text: String, _ read: (inout YAMLFields) -> Void) throws -> String {
    var fields = YAMLFields(try YAML.parse(text, source: "config/config.yml"))
    read(&fields)
    do {
      try fields.finish()
      return ""
    } catch { return error.description }
  }

  @Test func everyTypeIsRead() throws {
    var fields = YAMLFields(
      try YAML.parse(
        """
        name: kubespray
        number: 8
        flag: yes
        list: [a, 2]
        table: {x: 1, y: z}
        nothing:
        inner: {port: 35000}
        """, source: "f.yml"))
    #expect(fields.string("name") == "kubespray")
    #expect(fields.int("number", in: 1...64) == 8)
    #expect(fields.bool("flag") == true)
    #expect(fields.strings("list") == ["a", "2"])
    #expect(
      fields.table("table")?.entries.map { "\($0.key.string ?? ""): \($0.value.string ?? "")" } == [
        "x: 1", "y: z",
      ])
    #expect(fields.string("nothing") == nil)
    #expect(fields.nested("inner") { $0.int("port", in: 1...65535) } == 35000)
    #expect(fields.string("absent") == nil)
    try fields.finish()
  }

  @Test func allProblemsComeTogetherInTheOrderOfTheFile() throws {
    let found = try problems(
      """
      registy: 1
      registry:
        prot: 3
        port: abc
      list: {a: 1}
      """
    ) { fields in
      _ = fields.strings("list")
      _ = fields.nested("registry") { $0.int("port", in: 1...65535) }
    }
    #expect(
      found == """
        config/config.yml:1:1: unknown key "registy" (did you mean "registry"?)
        config/config.yml:3:3: unknown key "registry.prot" (did you mean "registry.port"?)
        config/config.yml:4:9: "registry.port" must be a number from 1 to 65535, not "abc"
        config/config.yml:5:7: "list" must be a list, not keys and values
        """)
  }

  @Test(arguments: [
    ("a: 70000", "\"a\" must be a number from 1 to 65535, not \"70000\""),
    ("a: 0x10", "\"a\" must be a number from 1 to 65535, not \"0x10\""),
    ("a: [1]", "\"a\" must be a number from 1 to 65535, not a list"),
    ("zebra: 1", "unknown key \"zebra\""),
    ("- a", "the file must hold keys and values, not a list"),
    ("[x]: 1", "a key must be a text, not a list"),
  ])
  func badValues(_ text: String, _ expected: String) throws {
    let found = try problems(text) { _ = $0.int("a", in: 1...65535) }
    #expect(found == "config/config.yml:1:\(text.hasPrefix("a") ? 4 : 1): \(expected)")
  }

  @Test(arguments: [
    ("l: [a, [b]]", "1:8: \"l\" must be a list of single values, not a list"),
    ("l: [a, ~]", "1:8: \"l\" must be a list of single values, not nothing"),
    ("t: {k: [b]}", "1:8: \"t.k\" must be a single value, not a list"),
    ("t:\n  k:\n", "2:5: \"t.k\" must be a single value, not nothing"),
    ("t: {~: b}", "1:5: \"t\" must be keys that are texts, not nothing"),
    ("t: x", "1:4: \"t\" must be keys with values, not \"x\""),
  ])
  func badItems(_ text: String, _ expected: String) throws {
    let found = try problems(text) { fields in
      _ = fields.strings("l")
      _ = fields.table("t")
    }
    #expect(found == "config/config.yml:\(expected)")
  }

  @Test(
    arguments: [
      ("registy", "registry"), ("imagse", "images"), ("Proxy", "proxy"), ("registry_port", nil), ("x", nil),
      ("", nil),
    ] as [(String, String?)])
  func suggestionsOnlyWhenNear(_ written: String, _ expected: String?) throws {
    let found = try problems("'\(written)': 1") { fields in
      for key in ["registry", "images", "proxy"] { _ = fields.value(key) }
    }
    let hint = expected.map { " (did you mean \"\($0)\"?)" } ?? ""
    #expect(found == "config/config.yml:1:1: unknown key \"\(written)\"\(hint)")
  }
}
