import Integrity
import TestServer
import Testing

@testable import Transfer

/// A network that asks for a login answers everything with its page, and says that all is well.
@Suite(.timeLimit(.minutes(2))) struct WebPageTests {
  private static let page = "\r\n<!DOCTYPE HTML><html><title>Sign in</title></html>"

  @Test(
    "A page in place of a file is called one",
    arguments: [("/file", true), ("/file.tar.gz", true), ("/file.tar.gz", false), ("/FILE.DEB", false)])
  func page(_ path: String, _ isKnown: Bool) async throws {
    let fixture = try DownloadFixture()
    fixture.server.route(path) { _ in .text(Self.page) }
    let download = fixture.download(path, digest: isKnown ? Digest(of: [1, 2, 3]) : nil)
    let error = await #expect(throws: TransferError.self) {
      try await fixture.run(download, on: fixture.engine())
    }
    #expect(error?.detail == WebPage.fact)
    #expect(fixture.names.isEmpty)
  }

  @Test("A page that was asked for is one", arguments: ["/index.html", "/docs/", "/file"])
  func wanted(_ path: String) async throws {
    let fixture = try DownloadFixture()
    fixture.server.route(path) { _ in .text(Self.page) }
    _ = try await fixture.run(fixture.download(path), on: fixture.engine())
    #expect(fixture.content == Array(Self.page.utf8))
  }

  @Test(arguments: [
    ("<html>", true), ("\u{feff}  <!doctype html>", true), ("<?xml?>", false), ("<!DOCTYPE svg>", false),
    ("", false),
    ("#!/bin/sh\n# <html>", false),
  ])
  func beginning(_ text: String, _ isPage: Bool) { #expect(WebPage.begins(text.utf8) == isPage) }
}
