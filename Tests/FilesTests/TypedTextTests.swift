import Files
import SystemPackage
import TestSupport
import Testing

/// Texts that people write, with any editor, on any system.
@Suite struct TypedTextTests {
  @Test(arguments: [
    ("a\nb\n", ["a", "b"]), ("a\r\nb\r\n", ["a", "b"]), ("a\rb\r", ["a", "b"]), ("a\n\rb", ["a", "", "b"]),
    ("a\r\n\r\nb", ["a", "", "b"]), ("\u{feff}a\nb", ["a", "b"]), ("\u{feff}a\r\nb", ["a", "b"]),
    ("a", ["a"]), ("", []), ("\n", [""]), ("a\n\u{301}b", ["a", "\u{301}b"]), ("a\u{2028}b", ["a\u{2028}b"]),
  ])
  func `Lines end as any system ends them`(text: String, lines: [String]) {
    let text = TypedText(text)
    #expect(text.lines.map(\.text) == lines)
    #expect(text.lines.map(\.number) == lines.indices.map { $0 + 1 })
    #expect(!text.content.utf8.contains(13) && !text.content.hasPrefix("\u{feff}"))
  }

  @Test(arguments: [
    ("  a\tb  ", ["a", "b"]), ("a\u{a0}", ["a"]), ("a # b", ["a"]), ("a #b", ["a"]), ("#a", []),
    ("a#b", ["a#b"]),
    ("\u{200b}a\u{feff} b\u{2060}", ["a", "b"]), ("a\u{301} b", ["a\u{301}", "b"]),
    (" \u{301}a", ["\u{301}a"]),
    ("\u{b}a\u{c}", ["a"]), ("", []),
  ])
  func `Words stand between blanks of every kind, before a comment`(line: String, words: [String]) {
    #expect(TypedText(line).lines.flatMap(\.words).map { Array($0.utf8) } == words.map { Array($0.utf8) })
  }

  @Test func `UTF-16 is refused by the name of the file, and Latin-1 in a comment is not`() throws {
    try withFolder { folder in
      let file = folder.appending("list.txt")
      for bytes: [UInt8] in [[0xff, 0xfe, 0x61, 0], [0xfe, 0xff, 0, 0x61], [0x61, 0, 0x0a, 0]] {
        try writeAtomically(bytes, to: file)
        let error = #expect(throws: TextEncodingError.self) { try TypedText(reading: file) }
        #expect("\(try #require(error))".contains("list.txt: it is in UTF-16"))
        #expect(FileError.reason(try #require(error)).hasPrefix("it is in UTF-16"))
      }
      try writeAtomically(Array("a # gr".utf8) + [0xfc, 0x6e], to: file)
      #expect(try TypedText(reading: file).lines.flatMap(\.words) == ["a"])
    }
  }

  @Test(arguments: [
    ("https://a/b?X-Amz-Signature=abc&x=1", "https://a/b?X-Amz-Signature=***&x=1"),
    ("https://a/b?file=c&token=abc", "https://a/b?file=c&token=***"),
    ("see https://a/b?sig=a%2Bb#c and d=e", "see https://a/b?sig=***#c and d=e"),
    ("'https://a/b?access_token=x' 'y=z'", "'https://a/b?access_token=***' 'y=z'"),
    ("https://a/b?ref=v1", "https://a/b?ref=v1"), ("what? key=1", "what? key=1"), ("", ""),
  ])
  func `What may open something in a query is hidden`(text: String, shown: String) {
    #expect(maskingQuerySecrets(in: text) == shown)
  }
}
