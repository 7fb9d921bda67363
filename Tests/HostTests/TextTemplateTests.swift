import Host
import Testing

@Suite struct TextTemplateTests {
  private func template(_ text: String, quoting: @escaping @Sendable (String) -> String = { $0 })
    -> TextTemplate
  {
    TextTemplate(Array(text.utf8), quoting: quoting)
  }

  @Test(arguments: [
    ("plain", "cat plain"), ("two words", "cat 'two words'"), ("it's", #"cat 'it'\''s'"#),
    ("$HOME", "cat '$HOME'"),
    ("@other@", "cat @other@"),
  ])
  func valuesAreQuotedForTheLanguage(value: String, expected: String) {
    #expect(template("cat @file@", quoting: shellQuoted).filled(["file": value, "other": "x"]) == expected)
  }

  @Test func partsOfTheLanguageStayAsTheyAre() {
    let text = template("exec @program@ @arguments@ \"$@\"\n", quoting: shellQuoted)
    #expect(
      text.filled(["program": "a b"], verbatim: ["arguments": "--one 'x y'"])
        == "exec 'a b' --one 'x y' \"$@\"\n")
  }

  @Test func aLineWithoutValueIsLeftOut() {
    let text = template("a=1\nkey=@key@\nb=@b@\n")
    #expect(text.filled(["key": nil, "b": "2"]) == "a=1\nb=2\n")
    #expect(text.filled(["key": "k", "b": "2"]) == "a=1\nkey=k\nb=2\n")
  }

  @Test func otherSignsAreNoPlaces() {
    #expect(template("user@host @ \"$@\" @1@ @@").filled([:]) == "user@host @ \"$@\" @1@ @@")
  }
}
