import Testing
import YAML

@Suite struct TextTests {
  @Test(arguments: [
    "", "plain", "/var/lib/registry", "true", "No", "null", "~", "2.30.0", "35000", "1e3", "a: b", "a #b",
    "- x",
    "{{ jinja }}", "quote \" and \\", "line\nbreak\ttab\r", "ü – 😀", "\u{7}\u{85}\u{2028}\u{feff}", " edge ",
    "*alias", "&anchor", "!tag", "<<", "=", "y", "2026-01-01", "localhost:35000",
  ])
  func whatIsWrittenReadsBack(_ text: String) throws {
    for written in [YAML.scalar(text), YAML.quoted(text)] {
      let node = try YAML.parse("k: \(written)\n", source: "f.yml")
      #expect(node?["k"]?.string == text, "\(written)")
    }
  }

  @Test(arguments: [("plain", "plain"), ("2.30.0", "\"2.30.0\""), ("yes", "\"yes\""), ("a b", "\"a b\"")])
  func quotesOnlyWhereNeeded(_ text: String, _ expected: String) {
    #expect(YAML.scalar(text) == expected)
  }
}
