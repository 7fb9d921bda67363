import Testing
import YAML

@Suite struct AliasTests {
  private func parse(_ text: String) throws -> YAMLNode {
    try #require(try YAML.parse(text, source: "f.yml"))
  }

  private func message(_ text: String, _ limits: YAMLLimits = .default) -> String {
    do {
      _ = try YAML.parse(text, source: "f.yml", limits: limits)
      return "no error"
    } catch { return error.description }
  }

  @Test func anAliasIsWhatItsAnchorHolds() throws {
    let node = try parse("a: &x {k: 1}\nb: *x\nc: &x 2\nd: *x\n")
    #expect(node["b"]?["k"]?.string == "1")
    #expect(node["b"]?.position == node["a"]?.position)
    #expect(node["d"]?.string == "2")
  }

  @Test func anAliasMeansTheLatestAnchorOfThatName() throws {
    let node = try parse("a: &x [&x 1, *x]\nb: *x\n")
    #expect(node["a"]?.sequence?.map(\.string) == ["1", "1"])
    #expect(node["b"]?.string == "1")
  }

  @Test func ownKeysWinOverMergedOnes() throws {
    let node = try parse(
      """
      base: &base {a: 1, b: 1}
      late: {<<: *base, b: 2, c: 2}
      early:
        b: 3
        <<: *base
      """)
    #expect(node["late"]?.mapping?.entries.map(\.key.string) == ["a", "b", "c"])
    #expect(node["late"]?["b"]?.string == "2")
    #expect(node["early"]?["b"]?.string == "3")
    #expect(node["early"]?["a"]?.string == "1")
    #expect(node["late"]?["a"]?.position == YAMLPosition(line: 1, column: 17))
  }

  @Test func theEarlierOfSeveralMergedMappingsWins() throws {
    let node = try parse("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}\n")
    #expect(node["z"]?.mapping?.entries.map { $0.value.string } == ["1", "1", "3"])
  }

  @Test func mergedMappingsMayThemselvesMerge() throws {
    let node = try parse("x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: *y}\n")
    #expect(node["z"]?.mapping?.entries.map(\.key.string) == ["a", "b"])
  }

  @Test func aQuotedMergeSignIsAnOrdinaryKey() throws {
    #expect(try parse("'<<': 3\n")["<<"]?.string == "3")
  }

  /// Each level holds the one before nine times: 9^20 values if anything walked it.
  @Test func aBillionLaughsAreRefused() {
    var text = "a0: &a0 [lol]\n"
    for level in 1...20 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(aliases)]\n"
    }
    #expect(message(text).hasPrefix("f.yml:7:"))
    #expect(message(text).hasSuffix("the document has more than 500000 values once its aliases are expanded"))
  }

  @Test func mergedKeysCountToo() {
    var text = "m0: &m0 {k0: v}\n"
    for level in 1...60 { text += "m\(level): &m\(level) {<<: *m\(level - 1), k\(level): v}\n" }
    let limits = YAMLLimits(inputBytes: 1 << 20, depth: 8, nodes: 2000)
    #expect(message(text, limits).hasPrefix("f.yml:"))
    #expect(message(text) == "no error")
  }

  /// Every line nests the one before by an alias, so the file is flat and what it means is not.
  @Test func depthIsCountedThroughAliases() {
    var text = "a0: &a0 x\n"
    for level in 1...200 { text += "a\(level): &a\(level) [*a\(level - 1)]\n" }
    #expect(message(text) == "f.yml:65:12: the document is nested more than 64 levels deep")
  }

  @Test(arguments: ["[", "{a: ", "- ", "? ", "[{a: "])
  func deepNestingIsRefused(_ opening: String) {
    #expect(message(String(repeating: opening, count: 100_000)).contains("more than 64 levels deep"))
  }

  @Test func floodsOfTagDirectivesAreRefused() {
    let text = (0..<101).map { "%TAG !t\($0)! x\n" }.joined() + "---\na: 1\n"
    #expect(message(text) == "f.yml: the file has more than 100 %TAG directives")
    #expect(message("%YAML 1.1\n%TAG !t! x\n---\na: !t!b 1\n") == "no error")
  }

  @Test func largeFilesAreRefused() {
    let limits = YAMLLimits(inputBytes: 10, depth: 8, nodes: 100)
    #expect(message("a: 1234567890", limits) == "f.yml: the file has 13 bytes; at most 10 are accepted")
  }
}
