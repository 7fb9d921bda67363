import Integrity
import SystemPackage
import TestServer
import TestSupport
import Testing
import Transfer

@testable import TargetSetup

/// Stores as they are: what they tell of a file, and where they send who asks.
@Suite("Kinds of stores")
struct StoreKindTests {
  private typealias Change = @Sendable (TestServer.Request, TestServer.Response) -> TestServer.Response

  private static let text = "The content of a file."

  private func upload(_ store: StoreServer, environment: [String: String] = [:]) async throws -> UploadResult
  {
    var transfer = TransferConfiguration()
    transfer.retries = 1
    transfer.initialBackoff = .milliseconds(1)
    transfer.noProxy = "*"
    let folder = try TemporaryFolder()
    try put(Self.text, at: folder.path.appending("file"))
    let results = try await FolderUpload(
      try UploadPlan(folder: folder.path, bundle: "/nonexistent"), to: try StoreAddress(store.address),
      credential: StoreCredential(environment), options: UploadOptions(), engine: try TransferEngine(transfer)
    ).run()
    return try #require(results.first)
  }

  private static func hex(_ count: Int) -> String { String(repeating: "5", count: count) }

  @Test(
    "an entity tag that only looks like a checksum does not make a file another one",
    arguments: [
      // Object stores: a file of several parts, and one that was encrypted.
      "\"\(hex(32))-2\"", "\"\(hex(32))\"", "\"\(hex(40))\"", "\"\(hex(64))\"", "W/\"\(hex(32))\"", "\"\"",
      "x",
      "\"{SHA1{short}}\"",
    ])
  func entityTags(_ tag: String) async throws {
    let store = try StoreServer(.plain, ["file"]) { $1.header("ETag", tag) }
    store.put(Self.text, at: "file")
    #expect(try await upload(store).outcome == .present, "\(tag)")
    #expect(store.methods("file") == ["HEAD", "GET"], "\(tag)")
    store.put("The content of A file.", at: "file")
    #expect(try await upload(store).outcome == .replaced, "\(tag)")
    #expect(store.content("file") == Self.text)
  }

  @Test("a store that tells no length is asked for the content, and keeps what is the same")
  func noLength() async throws {
    let change: Change = { request, usual in
      request.method == "HEAD" ? usual.header("ETag", nil).framed(.untilClose) : usual.header("ETag", nil)
    }
    let store = try StoreServer(.plain, ["file"], changing: change)
    store.put(Self.text, at: "file")
    #expect(try await upload(store).outcome == .present)
    store.put("another", at: "file")
    #expect(try await upload(store).outcome == .replaced)
    #expect(store.content("file") == Self.text)
  }

  @Test("a store that does not let itself be asked gets the file", arguments: [403, 405, 500, 501])
  func untold(_ status: Int) async throws {
    let change: Change = { request, usual in
      request.method == "HEAD" ? .text("", status: status) : usual
    }
    let store = try StoreServer(.plain, ["file"], changing: change)
    let result = try await upload(store)
    // What was sent cannot be asked for either, and that is said.
    #expect(store.content("file") == Self.text, "\(result)")
  }

  @Test("who has taken a file may lead to it, on the same server or another", arguments: [303])
  func seeOther(_ status: Int) async throws {
    for place in ["/repo/file", "https://cdn.example.com/file"] {
      let change: Change = { request, usual in
        request.method == "PUT" ? .redirect(to: place, status: status) : usual
      }
      let store = try StoreServer(.plain, ["file"], changing: change)
      let result = try await upload(store, environment: ["TOKEN": "t"])
      #expect(result.outcome == .sent, "\(place) \(result)")
      #expect(store.content("file") == Self.text)
    }
  }

  @Test("a store that wants it at another place of the same server gets it there", arguments: [307, 308])
  func sameServer(_ status: Int) async throws {
    let change: Change = { request, usual in
      guard request.method == "PUT", request.query == nil else { return usual }
      return .redirect(to: "/repo/file?upload=1", status: status)
    }
    let store = try StoreServer(.plain, ["file"], changing: change)
    #expect(try await upload(store).outcome == .sent)
    #expect(store.content("file") == Self.text)
  }

  @Test("what is sent, and the login with it, goes to no other server", arguments: [301, 302, 307, 308])
  func otherServer(_ status: Int) async throws {
    let other = try StoreServer(.plain, ["file"])
    let place = other.address + "file"
    let change: Change = { request, usual in
      request.method == "PUT" ? .redirect(to: place, status: status) : usual
    }
    let store = try StoreServer(.plain, ["file"], changing: change)
    let result = try await upload(store, environment: ["TOKEN": "t"])
    #expect(result.outcome == .failed)
    #expect(result.detail.contains("redirects to \(other.server.baseURL)"), "\(result.detail)")
    #expect(other.server.requests.isEmpty)
  }
}
