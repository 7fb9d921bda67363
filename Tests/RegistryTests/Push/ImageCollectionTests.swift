import Archive
import Bundle
import Foundation
import Integrity
import SystemPackage
import TestRegistry
import TestServer
import Testing

@testable import Registry

/// `container-images.tar.gz` of kubespray's contrib/offline on its way into a registry.
@Suite(.timeLimit(.minutes(10))) struct ImageCollectionTests {
  private let fixture: PushFixture
  private let registry: TestRegistry
  /// What `docker save` wrote for years: layers as plain tars, a configuration, and a list.
  private let layer = TestServer.Body.pattern(count: 90_000, seed: 3).bytes

  init() throws {
    fixture = try PushFixture()
    registry = try TestRegistry()
  }

  private func saved(_ file: String, tags: [String], more: Int) throws -> FilePath {
    let own = TestServer.Body.pattern(count: 100, seed: UInt64(more)).bytes
    let digests = [layer, own].map { Digest(of: $0) }
    let config =
      #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["\#(digests[0])","\#(digests[1])"]}}"#
    let path = fixture.folder.appending(file)
    let writer = try ArchiveWriter(path, compression: .none)
    try writer.add(bytes: layer, as: "a/layer.tar")
    try writer.add(bytes: own, as: "b/layer.tar")
    try writer.add(bytes: Array(config.utf8), as: "config.json")
    let names = tags.map { "\"\($0)\"" }.joined(separator: ",")
    let list = #"[{"Config":"config.json","RepoTags":[\#(names)],"Layers":["a/layer.tar","b/layer.tar"]}]"#
    try writer.add(bytes: Array(list.utf8), as: "manifest.json")
    try writer.finish()
    return path
  }

  private func collection(_ files: [FilePath], _ list: String, level: Int = 6) throws -> FilePath {
    let path = fixture.folder.appending("container-images.tar.gz")
    let writer = try ArchiveWriter(path, compression: .gzip(level: level))
    try writer.add(directory: "container-images")
    for file in files {
      try writer.add(file: file, as: "container-images/\(file.lastComponent?.string ?? "")")
    }
    // The script's tar has it wherever the folder has it: here at the end.
    try writer.add(bytes: Array(list.utf8), as: "container-images/container-images.txt")
    try writer.finish()
    return path
  }

  private func leftovers() -> [String] {
    (try? FileManager.default.subpathsOfDirectory(atPath: fixture.folder.appending("scratch").string)) ?? []
  }

  @Test func `Images get the names of the list, and what they share is sent once`() async throws {
    let files = [
      try saved("registry.k8s.io-pause-3.10.tar", tags: ["registry.k8s.io/pause:3.10"], more: 1),
      // Saved by digest: it has no name of its own.
      try saved("quay.io-x-y.tar", tags: [], more: 2),
      try saved("my-host.tar", tags: ["private.example.com/app:1"], more: 4),
      try saved("registry-latest.tar", tags: ["docker.io/library/registry:latest"], more: 5),
      try fixture.archive("nginx:1", PushFixture.image([1000])),
    ]
    let path = try collection(
      files,
      """
      registry.k8s.io-pause-3.10.tar  pause:3.10
      quay.io-x-y.tar  x/y
      my-host.tar  app:1
      \(files[4].lastComponent?.string ?? "")  library/nginx:1
      """)
    for (name, tag) in [("pause", "3.10"), ("x/y", "latest"), ("app", "1"), ("library/nginx", "1")] {
      registry.accept(name, [tag])
    }
    let collection = try #require(try ImageCollection(path))
    #expect(collection.count == 4)
    let results = try await fixture.push(to: registry.host).push(collection)
    #expect(results.allSatisfy { $0.failure == nil }, "\(results)")
    #expect(
      results.compactMap(\.destination).sorted() == [
        "\(registry.host)/app:1", "\(registry.host)/library/nginx:1", "\(registry.host)/pause:3.10",
        "\(registry.host)/x/y:latest",
      ])
    #expect(registry.blobs(in: "x/y")[Digest(of: layer)] == layer)
    let sent = registry.server.requests.filter { $0.method != "HEAD" && $0.body == layer }
    #expect(sent.count == 1)
    #expect(leftovers().isEmpty)
  }

  @Test func `What the list has and the archive has not is a failure of its own`() async throws {
    let file = try saved("one.tar", tags: ["one:1"], more: 1)
    registry.accept("library/one", ["1"])
    let path = try collection([file], "gone.tar  library/gone:1\none.tar  library/one:1\n")
    let results = try await fixture.push(to: registry.host).push(try #require(try ImageCollection(path)))
    #expect(results.compactMap(\.destination) == ["\(registry.host)/library/one:1"])
    #expect(results.compactMap(\.failure).count == 1)
    #expect(
      results.compactMap(\.failure).contains { "\($0)".contains("gone.tar is in its container-images.txt") })
  }

  @Test func `A collection that ends too early leaves nothing behind but what is pushed`() async throws {
    let files = [
      try saved("one.tar", tags: ["one:1"], more: 1), try saved("two.tar", tags: ["two:1"], more: 2),
    ]
    registry.accept("library/one", ["1"])
    let path = fixture.folder.appending("container-images.tar.gz")
    let writer = try ArchiveWriter(path, compression: .gzip(level: 0))
    try writer.add(
      bytes: Array("one.tar library/one:1\ntwo.tar library/two:1".utf8), as: "container-images.txt")
    for file in files { try writer.add(file: file, as: file.lastComponent?.string ?? "") }
    let (size, _) = try writer.finish()
    let cut = try FileDescriptor.open(path, .readWrite)
    try cut.closeAfter { try cut.resize(to: size - 60_000) }
    let results = try await fixture.push(to: registry.host).push(try #require(try ImageCollection(path)))
    #expect(results.compactMap(\.failure).count == 1)
    #expect(results.contains { $0.destination == "\(registry.host)/library/one:1" && $0.failure == nil })
    #expect(leftovers().isEmpty)
  }

  @Test func `An archive of one image is no collection`() throws {
    #expect(try ImageCollection(try fixture.archive("one:1", PushFixture.image([5]))) == nil)
    #expect(try ImageCollection(try saved("one.tar", tags: ["one:1"], more: 1)) == nil)
  }

  @Test(
    "Lists that cannot be used",
    arguments: [
      "", "one.tar\n", "one.tar a:1 b", "one.tar a:1\ntwo.tar a:1\n", "../one.tar a:1\n", "\0one.tar a:1\n",
      "../\u{301}one.tar a:1\n",
    ])
  func badLists(list: String) throws {
    let path = try collection([], list)
    let error = #expect(throws: ImageArchiveError.self) { try ImageCollection(path) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("container-images.txt"))
  }

  @Test(
    "Names behind a registry",
    arguments: [
      ("library/nginx:1", "r.example.com/k8s/library/nginx:1"), ("pause", "r.example.com/k8s/pause:latest"),
      ("mcr.microsoft.com/a/b:1", "r.example.com/k8s/mcr.microsoft.com/a/b:1"),
      ("my.host:5000/a:1", "r.example.com/k8s/my.host-5000/a:1"),
      ("x/y@sha256:abc", "r.example.com/k8s/x/y:latest"),
    ])
  func names(text: String, name: String) throws {
    #expect("\(try PushTarget("r.example.com/k8s").reference(named: text))" == name)
  }
}
