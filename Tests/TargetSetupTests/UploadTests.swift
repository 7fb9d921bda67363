import Bundle
import Console
import Foundation
import Integrity
import SystemPackage
import TestServer
import TestSupport
import Testing
import Transfer

@testable import TargetSetup

@Suite("Uploading a folder")
struct UploadTests {
  private func upload(
    _ folder: FilePath?, bundle: FilePath = "/nonexistent", to store: StoreServer, address: String? = nil,
    environment: [String: String] = [:], _ change: (inout UploadOptions) -> Void = { _ in }
  ) async throws -> [UploadResult] {
    var options = UploadOptions()
    change(&options)
    var transfer = TransferConfiguration()
    transfer.retries = 2
    transfer.initialBackoff = .milliseconds(1)
    transfer.noProxy = "*"
    return try await FolderUpload(
      try UploadPlan(folder: folder, bundle: bundle), to: try StoreAddress(address ?? store.address),
      credential: StoreCredential(environment), options: options, engine: try TransferEngine(transfer)
    ).run()
  }

  @Test("Artifactory: what it has anywhere is not sent, the rest is, and a second run asks only")
  func artifactory() async throws {
    try await withFolder { folder in
      try put("one", at: folder.appending("a/one"))
      try put("two", at: folder.appending("two"))
      let store = try StoreServer(.artifactory, ["a/one", "two"])
      store.know("one")
      let results = try await upload(folder, to: store)
      #expect(results.map(\.path) == ["a/one", "two"])
      #expect(results.map(\.outcome) == [.linked, .sent])
      #expect(results.map(\.sent) == [0, 3])
      #expect(store.content("a/one") == "one" && store.content("two") == "two")
      #expect(store.methods("a/one") == ["HEAD", "deploy"])
      #expect(store.methods("two") == ["HEAD", "deploy", "PUT"])
      let sent = try #require(store.server.requests(for: "/repo/two").last)
      #expect(sent[header: "X-Checksum-Sha256"] == Digest(of: Array("two".utf8)).hex)
      let again = try await upload(folder, to: store)
      #expect(again.map(\.outcome) == [.present, .present])
      #expect(again.map(\.detail) == ["same SHA-256", "same SHA-256"])
      #expect(store.methods("two").count == 4)
    }
  }

  @Test("a file of other content is replaced, also where only a small file's content can tell")
  func replaced() async throws {
    for kind in [StoreServer.Kind.artifactory, .plain, .nexus] {
      try await withFolder { folder in
        try put("abc", at: folder.appending("file"))
        let store = try StoreServer(kind, ["file"])
        store.put("xyz", at: "file")
        #expect(try await upload(folder, to: store) { $0.isDryRun = true }.map(\.outcome) == [.wouldReplace])
        #expect(store.content("file") == "xyz")
        #expect(try await upload(folder, to: store).map(\.outcome) == [.replaced])
        #expect(store.content("file") == "abc")
        #expect(try await upload(folder, to: store).map(\.outcome) == [.present])
        #expect(try await upload(folder, to: store) { $0.isForced = true }.map(\.outcome) == [.replaced])
      }
    }
  }

  @Test("a plain store is never asked by checksum: it would make an empty file of that")
  func plain() async throws {
    try await withFolder { folder in
      try put("text", at: folder.appending("file"))
      let store = try StoreServer(.plain, ["file"])
      #expect(try await upload(folder, to: store).map(\.outcome) == [.sent])
      #expect(!store.methods("file").contains("deploy"))
      // Even where somebody says that it is Artifactory, the file is there in the end.
      let other = try StoreServer(.plain, ["file"])
      let results = try await upload(folder, to: other) { $0.isArtifactory = true }
      #expect(results.map(\.outcome) == [.sent])
      #expect(other.content("file") == "text")
    }
  }

  @Test("names are quoted, and no slash is doubled")
  func names() async throws {
    try await withFolder { folder in
      try put("x", at: folder.appending("a b/100%#+ü;?"))
      let quoted = "a%20b/100%25%23%2B%C3%BC%3B%3F"
      let store = try StoreServer(.plain, [quoted])
      let results = try await upload(folder, to: store, address: store.address + "//")
      #expect(results.map(\.outcome) == [.sent])
      #expect(results.first?.url == store.server.url("/repo/" + quoted))
      #expect(store.server.requests.allSatisfy { !$0.target.contains("//") })
    }
  }

  @Test("a server that is busy or breaks off gets the file again, whole")
  func retries() async throws {
    try await withFolder { folder in
      let text = String(repeating: "content ", count: 400_000)
      try put(text, at: folder.appending("big"))
      let store = try StoreServer(.artifactory, ["big"])
      store.fail("big", .refusal(503), .nothing(ending: .reset))
      let results = try await upload(folder, to: store)
      #expect(results.map(\.outcome) == [.sent])
      #expect(store.content("big") == text)
      #expect(store.methods("big") == ["HEAD", "deploy", "PUT", "PUT", "PUT"])
    }
  }

  @Test(
    "a failure is told with its file, and does not stop the others",
    arguments: [(409, "Checksum error"), (400, "400"), (403, "Overwrite"), (413, "client_max_body_size")])
  func failure(_ status: Int, _ words: String) async throws {
    try await withFolder { folder in
      for name in ["a", "b", "c"] { try put("file \(name)", at: folder.appending(name)) }
      let store = try StoreServer(.artifactory, ["a", "b", "c"])
      store.fail("b", .text("Checksum error", status: status))
      let results = try await upload(folder, to: store)
      #expect(results.map(\.outcome) == [.sent, .failed, .sent])
      #expect(results[1].detail.contains(words) && results[1].detail.contains("\(status)"))
      // And the next run sends what is missing alone.
      #expect(try await upload(folder, to: store).map(\.outcome) == [.present, .sent, .present])
    }
  }

  @Test("a wrong password is tried once, and never shown")
  func unauthorized() async throws {
    try await withFolder { folder in
      for name in ["a", "b", "c"] { try put("file \(name)", at: folder.appending(name)) }
      let basic = "Basic " + Data("ann:s3cret".utf8).base64EncodedString()
      let store = try StoreServer(.artifactory, ["a", "b", "c"], authorization: basic)
      let wrong = ["USERNAME": "ann", "TOKEN": "wr0ng"]
      let results = try await upload(folder, to: store, environment: wrong)
      #expect(results.map(\.outcome).sorted { $0.rawValue < $1.rawValue } == [.failed, .notTried, .notTried])
      #expect(store.server.requests.count == 1)
      #expect(results.allSatisfy { $0.detail.contains("TOKEN") && !$0.detail.contains("wr0ng") })
      #expect(!"\(String(describing: StoreCredential(wrong)))".contains("wr0ng"))
      let right = ["USERNAME": "ann", "TOKEN": "s3cret"]
      #expect(
        try await upload(folder, to: store, environment: right).map(\.outcome) == [.sent, .sent, .sent])
    }
  }

  @Test("a token alone is an access token; a user's name alone is nobody's login")
  func credentials() {
    #expect(StoreCredential(["TOKEN": "t"])?.authorization == "Bearer t")
    #expect(StoreCredential(["USERNAME": "ann"]) == nil)
    #expect(StoreCredential(["USERNAME": "ann", "TOKEN": ""]) == nil)
  }

  @Test("credentials go to no other host, and a store that has moved is named")
  func moved() async throws {
    try await withFolder { folder in
      try put("text", at: folder.appending("file"))
      let store = try StoreServer(.plain, ["file"])
      store.fail("file", .redirect(to: "https://store.example.com/new/file?secret=1"))
      let results = try await upload(folder, to: store, environment: ["TOKEN": "t"])
      #expect(results.map(\.outcome) == [.failed])
      #expect(results[0].detail.contains("--to https://store.example.com/new"))
      #expect(!results[0].detail.contains("secret"))
    }
  }

  @Test("a gateway that says yes to everything has taken nothing")
  func gateway() async throws {
    try await withFolder { folder in
      try put("text", at: folder.appending("file"))
      let store = try StoreServer(.plain, ["file"])
      store.fail("file", .text("please log in"))
      let results = try await upload(folder, to: store)
      #expect(results.map(\.outcome) == [.failed])
    }
  }

  @Test(
    "the bundle vouches for its files: a damaged one does not become one in the store, a missing one is a failure"
  )
  func bundle() async throws {
    try await withFolder { bundle in
      func file(_ path: String, _ text: String) throws -> ManifestFile {
        ManifestFile(
          path: try BundlePath(path), size: Int64(text.utf8.count), sha256: Digest(of: Array(text.utf8)),
          url: nil,
          stage: .files, verification: .givenChecksum)
      }
      try put("good", at: bundle.appending("files/good"))
      try put("bAd", at: bundle.appending("files/bad"))
      try put("x", at: bundle.appending("files/.incomplete.etcd.part"))
      try put("x", at: bundle.appending("files/added"))
      try put("shorter", at: bundle.appending("files/short"))
      try Manifest(
        tool: "test", created: "2026-01-01T00:00:00Z", kubespray: "2.30.0", architecture: "amd64",
        stages: [.files],
        files: [
          try file("files/good", "good"), try file("files/bad", "bad"), try file("files/gone", "gone"),
          try file("files/short", "shorter than"), try file("images/a.tar.gz", "image"),
        ]
      ).save(to: bundle)
      let store = try StoreServer(
        .plain, ["good", "bad", "gone", "short", ".incomplete.etcd.part", "added"])
      let results = try await upload(nil, bundle: bundle, to: store)
      #expect(results.map(\.path) == ["added", "bad", "gone", "good", "short"])
      #expect(results.map(\.outcome) == [.failed, .failed, .failed, .sent, .failed])
      #expect(results[0].detail.contains("does not list it") && store.content("added") == nil)
      #expect(results[1].detail.contains("damaged"))
      #expect(store.content("bad") == nil && store.content(".incomplete.etcd.part") == nil)
      // A folder within it is vouched for too.
      try FileManager.default.createDirectory(
        atPath: bundle.appending("files/sub").string, withIntermediateDirectories: true)
      #expect(throws: StepError.self) { try UploadPlan(folder: "/nonexistent/folder", bundle: bundle) }
    }
  }

  @Test("addresses", arguments: ["ftp://host/x", "host/x", "", "http://host/x?y=1", "http://host/x#y"])
  func addresses(_ text: String) {
    #expect(throws: StepError.self) { try StoreAddress(text) }
  }

  @Test("a password in the address is not shown, and is the one that counts")
  func address() throws {
    let address = try StoreAddress("https://ann:s3cret@store.example.com/a//")
    #expect(address.shown("b c") == "https://store.example.com/a/b%20c")
    #expect(address.hasCredentials)
    #expect(try !StoreAddress("https://store.example.com/a@b").hasCredentials)
  }
}
