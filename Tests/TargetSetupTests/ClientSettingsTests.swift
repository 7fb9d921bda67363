import Testing

@testable import TargetSetup

@Suite("Settings of container clients")
struct ClientSettingsTests {
  @Test(
    "a name is added to the list of a JSON file, and every other byte stays",
    arguments: [
      ("", "{\n  \"list\": [\"new\"]\n}\n"),
      (" \n", "{\n  \"list\": [\"new\"]\n}\n"),
      ("{}", "{\"list\": [\"new\"]}"),
      ("{ \"a\" : 1 }\n", "{ \"a\" : 1, \"list\": [\"new\"] }\n"),
      (
        "{\n\t\"b\": {\"list\": []},\n\t\"a\": \"}\\\"\"\n}",
        "{\n\t\"b\": {\"list\": []},\n\t\"a\": \"}\\\"\",\n\t\"list\": [\"new\"]\n}"
      ),
      ("{\"list\":[],\"a\":[1,[2]]}", "{\"list\":[\"new\"],\"a\":[1,[2]]}"),
      ("{\"list\": [\"x\"] , \"a\": -1.5e3}", "{\"list\": [\"x\", \"new\"] , \"a\": -1.5e3}"),
      ("{\"list\":[\"x\",\"y\"]}", "{\"list\":[\"x\",\"y\",\"new\"]}"),
      (
        "{\r\n  \"list\": [\r\n    \"x\"\r\n  ]\r\n}",
        "{\r\n  \"list\": [\r\n    \"x\",\r\n    \"new\"\r\n  ]\r\n}"
      ),
      ("{\"list\": null, \"z\": true}", "{\"list\": [\"new\"], \"z\": true}"),
      ("{\"l\\u0069st\": [\"x\"]}", "{\"l\\u0069st\": [\"x\", \"new\"]}"),
      // A mark in front stays there.
      ("\u{feff}{\"list\": []}", "\u{feff}{\"list\": [\"new\"]}"),
      ("\u{feff}{ \"a\": 1 }", "\u{feff}{ \"a\": 1, \"list\": [\"new\"] }"),
      // There already: not a byte changes.
      ("{\"list\":[ \"n\\u0065w\" ]}", "{\"list\":[ \"n\\u0065w\" ]}"),
    ])
  func adding(_ before: String, _ after: String) throws {
    let merged = try JSONObjectText(Array(before.utf8)).adding("new", to: "list")
    #expect(String(decoding: merged, as: UTF8.self) == after)
  }

  @Test(
    "what is not JSON object, or has no list there, is refused",
    arguments: [
      "[]", "\"text\"", "{\"a\": 1,}", "{\"a\": 1} // note", "{\"a\": 1", "{\"list\": \"x\"}",
      "{\"list\": [1]}", "nonsense",
    ])
  func refused(_ text: String) {
    #expect(throws: JSONTextError.self) {
      try JSONObjectText(Array(text.utf8)).adding("new", to: "list")
    }
  }

  @Test("other encodings than UTF-8 are refused, which Foundation would read")
  func encodings() {
    let text = "{\"list\": [\"x\"]}"
    let wide: [UInt8] = text.utf8.flatMap { [$0, 0] }
    let wider: [UInt8] = text.utf8.flatMap { [0, 0, 0, $0] }
    let latin1: [UInt8] = Array("{\"a\": \"".utf8) + [0xe9] + Array("\"}".utf8)
    for bytes in [wide, [0xff, 0xfe] + wide, wider, latin1] {
      #expect(throws: JSONTextError.self) { try JSONObjectText(bytes) }
    }
  }

  @Test("a name with a quotation mark stays a name")
  func quoting() throws {
    let text = try JSONObjectText(Array(#"{"list": ["a\"b\\", "new"]}"#.utf8))
    #expect(text.names(of: "list") == ["a\"b\\", "new"])
    let rest = try JSONObjectText(text.replacing(["a\"b\\"], of: "list"))
    #expect(rest.names(of: "list") == ["a\"b\\"])
  }

  @Test("names are taken out of a list again")
  func replacing() throws {
    let text = try JSONObjectText(Array("{\"list\": [\"x\", \"new\"], \"a\": 1}".utf8))
    #expect(text.names(of: "list") == ["x", "new"])
    #expect(text.names(of: "other") == nil)
    #expect(
      String(decoding: text.replacing(["x"], of: "list"), as: UTF8.self) == "{\"list\": [\"x\"], \"a\": 1}")
  }

  @Test(
    "what a registries.conf says of a registry",
    arguments: [
      ("unqualified-search-registries = [\"docker.io\"]\n", nil),
      ("[[registry]]\nlocation = \"10.0.0.5:5000\"\ninsecure = true # test\n", true),
      ("registry = [ { location = '10.0.0.5:5000', insecure = true } ]\n", true),
      ("  [[ registry ]]\n  location='10.0.0.5:5000'\n", false),
      // Another registry, whose content comes from there.
      ("[[registry]]\nprefix = \"docker.io\"\nlocation = \"10.0.0.5:5000\"\ninsecure = true\n", nil),
      (
        "[[registry]]\nprefix = \"10.0.0.5:5000\"\n[[registry.mirror]]\nlocation = \"m\"\ninsecure = true\n",
        false
      ),
      ("# [[registry]]\n# location = \"10.0.0.5:5000\"\n", nil),
      ("[registries.insecure]\nregistries = ['10.0.0.5:5000']\n", true),
    ] as [(String, Bool?)])
  func registries(_ text: String, _ expected: Bool?) throws {
    #expect(try RegistriesConfiguration(text).entry(of: "10.0.0.5:5000")?.isInsecure == expected)
  }

  @Test("longer prefixes of a registry, and those that are blocked")
  func prefixes() throws {
    let found = try RegistriesConfiguration(
      """
      [[registry]]
      prefix = "10.0.0.5:5000/library"
      location = "10.0.0.5:5000/library"
      [[registry]]
      location = "10.0.0.5:5000/x"
      insecure = true
      blocked = true
      [[registry]]
      location = "10.0.0.5:50001"
      """)
    #expect(found.parts(of: "10.0.0.5:5000").map(\.prefix) == ["10.0.0.5:5000/library", "10.0.0.5:5000/x"])
    #expect(found.parts(of: "10.0.0.5:5000").map(\.isBlocked) == [false, true])
  }
}
