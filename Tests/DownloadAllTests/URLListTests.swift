import Bundle
import Console
import Files
import Integrity
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// Fetching a plain list of URLs.
@Suite(.timeLimit(.minutes(10))) struct URLListTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func list(_ text: String, isFlat: Bool = false) throws -> URLList {
    try fixture.write(text, to: "list")
    return try URLList(fixture.root.appending("list"), isFlat: isFlat)
  }

  @Test(arguments: ["\n", "\r\n", "\r"])
  func linesAreAddressesWithOrWithoutADigest(_ newline: String) async throws {
    fixture.serve("/a/one", "one")
    fixture.serve("/b/two", "two")
    let lines = [
      "# a comment", "", "  \(fixture.server.url("/a/one")) \(Digest(of: Array("one".utf8)))  ",
      fixture.server.url("/b/two?x=1#y"), "\t", fixture.server.url("/b/two?x=1#y"),
    ]
    let urls = try list(lines.joined(separator: newline) + newline)
    let report = try await urls.fetch(fixture.configuration, environment: [:], emit: fixture.keep)
    #expect(report.failures.isEmpty && report.items == 2)
    #expect(fixture.names == ["127.0.0.1/a/one", "127.0.0.1/b/two"])
    #expect(fixture.text("outputs/127.0.0.1/b/two") == "two")
    let rerun = try await urls.fetch(fixture.configuration, environment: [:], emit: fixture.keep)
    #expect(rerun.skipped == 2 && rerun.bytes == 0)
  }

  @Test(arguments: [
    ("/rel/v1.30.0%2Brke2r1/rke2.tar.gz", "rel/v1.30.0+rke2r1/rke2.tar.gz"), ("/a/b%20c", "a/b c"),
    ("/a/%C3%A9", "a/\u{e9}"), ("/a%2Fb", "a/b"), ("//a//b", "a/b"), ("/a/b+c", "a/b+c"),
    ("/a/%61?x=%2F", "a/a"),
  ])
  func filesLieUnderTheirDecodedNames(_ path: String, _ place: String) async throws {
    fixture.serve(String(path.prefix { $0 != "?" }), "one")
    let report = try await list(fixture.server.url(path)).fetch(
      fixture.configuration, environment: [:], emit: fixture.keep)
    #expect(report.failures.isEmpty)
    #expect(fixture.names == ["127.0.0.1/\(place)"])
  }

  @Test(arguments: [
    ("https://example.com/a%00b", "cannot keep"), ("https://example.com/%2E%2E/b", "segment"),
    ("https://example.com/a%2F..%2F..%2Fb", "segment"), ("https://example.com/a%zz", "escapes"),
    ("https://example.com/a%ff", "escapes"), ("https://example.com/a%3Ab", "cannot keep"),
    ("https://u:p#w@example.com/b", "not an http or https URL"),
    ("https://example.com/a b", "a blank in a URL is written %20"),
    ("https://example.com/a https://example.com/b", "a line has one URL"),
  ])
  func aNameThatNoDiskKeepsIsTold(_ url: String, _ reason: String) throws {
    let error = #expect(throws: URLListError.self) { try list(url) }
    #expect("\(try #require(error))".contains(reason), "\(String(describing: error))")
  }

  @Test func twoAddressesThatDecodeToOneNameAreRefused() throws {
    let error = #expect(throws: URLListError.self) {
      try list("https://a.example/x+y\nhttps://a.example/x%2By")
    }
    #expect("\(try #require(error))".contains("list:2: two files want one place"))
  }

  @Test func aListInUTF16IsRefusedByItsName() throws {
    let file = fixture.root.appending("list")
    try writeAtomically([0xff, 0xfe, 0x68, 0, 0x74, 0], to: file)
    let error = #expect(throws: TextEncodingError.self) { try URLList(file, isFlat: false) }
    #expect(Problem(try #require(error)).description.contains("UTF-8"))
  }

  @Test func flatNamesAreTheLastSegments() async throws {
    fixture.serve("/a/one", "one")
    _ = try await list(fixture.server.url("/a/one"), isFlat: true).fetch(
      fixture.configuration, environment: [:], emit: fixture.keep)
    #expect(fixture.names == ["one"])
  }

  @Test(arguments: [
    ("\n\nftp://example.com/x", "list:3: ", "not an http or https URL"),
    ("not a url", "list:1: ", ""),
    ("https://example.com/x md5:12", "list:1: ", "knows sha256 and sha512"),
    ("https://example.com/x sha256:12", "list:1: ", "64 hexadecimal digits"),
    ("https://example.com/x sha256:\(String(repeating: "a", count: 64)) more", "list:1: ", "\"more\""),
    ("https://example.com/a:b", "list:1: ", "FAT cannot keep the character"),
    ("https://example.com/", "list:1: ", "segment"),
  ])
  func aBadLineIsToldWithItsNumber(_ text: String, _ place: String, _ reason: String) throws {
    let error = #expect(throws: URLListError.self) { try list(text) }
    let message = "\(try #require(error))"
    #expect(message.contains(place) && message.contains(reason))
  }

  @Test(arguments: [
    "https://a.example/x\nhttps://a.example/x?other", "https://a.example/x\nhttps://a.example/X",
    "https://a.example/x\nhttps://a.example/x/y",
  ])
  func twoAddressesForOneNameAreRefused(_ text: String) throws {
    let error = #expect(throws: URLListError.self) { try list(text) }
    #expect("\(try #require(error))".contains("list:2: two files want one place"))
  }

  @Test func aFlatListSaysHowToKeepNamesApart() throws {
    let error = #expect(throws: URLListError.self) {
      try list("https://a.example/x\nhttps://b.example/x", isFlat: true)
    }
    #expect(Problem(try #require(error)).advice?.contains("leave out --flat") == true)
  }

  @Test func aMissingListIsAnError() {
    let error = #expect(throws: FileError.self) { try URLList("/no/such/list", isFlat: false) }
    #expect(error?.description == "cannot read /no/such/list: No such file or directory")
  }

  @Test func aWrongDigestIsAFailureOfThatFileAlone() async throws {
    fixture.serve("/one", "one")
    fixture.serve("/two", "two")
    let urls = try list(
      "\(fixture.server.url("/one")) \(Digest(of: Array("uno".utf8)))\n\(fixture.server.url("/two"))")
    let report = try await urls.fetch(fixture.configuration, environment: [:], emit: fixture.keep)
    #expect(report.outcome == .failed && report.failures.map(\.subject) == ["127.0.0.1/one"])
    #expect(fixture.names == ["127.0.0.1/two"])
  }

  @Test func aBundleIsNoPlaceForOtherFiles() async throws {
    _ = try await fixture.run([try fixture.artifact("/kubelet", "kubelet")])
    let urls = try list("https://example.com/x")
    let error = await #expect(throws: URLListError.self) {
      try await urls.fetch(fixture.configuration, environment: [:], emit: fixture.keep)
    }
    #expect("\(try #require(error))".contains("it is a bundle"))
  }
}
