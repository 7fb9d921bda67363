import Testing

@testable import TargetSetup

@Suite("TOML")
struct TOMLTests {
  @Test(
    "values are read in all their forms",
    arguments: [
      ("a = \"x\\t\\u0041\\\\\"", .text("x\tA\\")), ("a = 'x\\t'", .text("x\\t")),
      ("a = \"\"\"\nx\ny\"\"\"", .text("x\ny")), ("a = '''\nx'y''z'''", .text("x'y''z")),
      ("a = \"\"\"x \\\n   y\"\"\"", .text("x y")), ("a = \"\"\"\"x\"\"\"\"\"", .text("\"x\"\"")),
      ("a = \"\"", .text("")), ("a = ''", .text("")), ("a = true", .boolean(true)),
      ("a=false#x", .boolean(false)),
      ("a = 1_000", .integer(1000)), ("a = -7", .integer(-7)), ("a = 0xff", .integer(255)),
      ("a = 0o17", .integer(15)), ("a = 0b11", .integer(3)), ("a = 1.5", .number(1.5)),
      ("a = 1e3", .number(1000)),
      ("a = -inf", .number(-.infinity)), ("a = 1979-05-27", .date("1979-05-27")),
      ("a = 1979-05-27 07:32:00Z", .date("1979-05-27 07:32:00Z")), ("a = 07:32:00", .date("07:32:00")),
      (
        "a = [1, [2, 3],\n # note\n 4,\n]",
        .list([.integer(1), .list([.integer(2), .integer(3)]), .integer(4)])
      ),
      ("a = {}", .table([:])),
      (
        "a = { b.c = 1, 'd e' = [ {f = 2} ] }",
        .table(["b": .table(["c": .integer(1)]), "d e": .list([.table(["f": .integer(2)])])])
      ),
    ] as [(String, TOMLValue)])
  func values(_ text: String, _ value: TOMLValue) throws {
    for text in [text, text + "\n", "\u{feff}" + text.replacing("\n", with: "\r\n") + "\r\n"] {
      #expect(try TOMLValue(parsing: Array(text.utf8)) == .table(["a": value]), "\(text)")
    }
  }

  @Test("tables, dotted keys and lists of tables come together")
  func tables() throws {
    let text = """
      top = 1 # note
      "quoted key".'b.c' = 2
      [a.b] # note
      x = "1"
      [a]
      y = "2"
      [[list]]
      z = 1
      [list.inner]
      w = 1
      [[list]]
      z = 2
      [ plugins . "io.x" . p ]
        q = { r = "s" }
      """
    let document = try TOMLValue(parsing: Array(text.utf8))
    #expect(document["quoted key", "b.c"] == .integer(2))
    #expect(document["a", "b", "x"]?.text == "1")
    #expect(document["a", "y"]?.text == "2")
    #expect(document["list"]?.list.map { $0["z"] } == [.integer(1), .integer(2)])
    #expect(document["list"]?.list.first?["inner", "w"] == .integer(1))
    #expect(document["plugins", "io.x", "p", "q", "r"]?.text == "s")
    #expect(document["nothing", "there"] == nil)
  }

  @Test(
    "what is not TOML is refused with its line",
    arguments: [
      ("a = ", 1), ("a", 1), ("\n\na = x", 3), ("a = 1\na = 2", 2), ("[a]\n[a]", 2), ("a = 1 b = 2", 1),
      ("a = [1, 2", 1), ("a = {b = 1\n}", 1), ("a = \"x", 1), ("a = \"\\q\"", 1), ("[a", 1),
      ("a = {b = 1}\n[a]\n", 2),
      ("a = {b = 1}\na.c = 2", 2), ("a = 1\n[a.b]", 2), ("= 1", 1), ("a = \"\"\"x", 1), ("a = 1\r\r\n", 1),
      ("[[a]]\n[a]", 2), ("a = 'x\ny'", 1), ("a = [}", 1),
      ("a = " + String(repeating: "[", count: 5000), 1),
    ])
  func refused(_ text: String, _ line: Int) {
    let error = #expect(throws: TOMLError.self, "\(text)") { try TOMLValue(parsing: Array(text.utf8)) }
    #expect(error?.line == line, "\(text.prefix(20)) \(error.map { "\($0)" } ?? "")")
  }

  @Test("other encodings are refused")
  func encodings() {
    let wide: [UInt8] = "a = 1".utf8.flatMap { [$0, 0] }
    let latin: [UInt8] = Array("a = \"".utf8) + [0xe9, 0x22]
    let marked: [UInt8] = [0xff, 0xfe] + wide
    for bytes in [wide, marked, latin] {
      #expect(throws: TOMLError.self) { try TOMLValue(parsing: bytes) }
    }
  }
}
