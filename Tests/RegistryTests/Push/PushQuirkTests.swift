import Bundle
import Integrity
import TestRegistry
import TestServer
import Testing

@testable import Registry

/// Registries as they are, and not as the specification has them.
@Suite(.timeLimit(.minutes(10))) struct PushQuirkTests {
  private let fixture: PushFixture
  private let registry: TestRegistry
  private let uploads = "/v2/library/one/blobs/uploads/"

  init() throws {
    fixture = try PushFixture()
    registry = try TestRegistry()
  }

  /// Pushes an image, and expects that all of it arrives.
  private func expectArrival(_ image: TestImage, _ comment: String = "") async throws {
    let results = try await fixture.push(to: registry.host).push([try fixture.archive("one:1", image)])
    #expect(results.allSatisfy { $0.failure == nil }, "\(comment) \(results)")
    #expect(registry.manifest("library/one", "1") == image.manifest.bytes, "\(comment)")
    for blob in [image.config] + image.layers {
      #expect(registry.blobs(in: "library/one")[blob.descriptor.digest] == blob.bytes, "\(comment)")
    }
  }

  /// Pushes an image, and gives what becomes of it.
  private func failure(_ image: TestImage = PushFixture.image([1000])) async throws -> RegistryError? {
    let results = try await fixture.push(to: registry.host).push([try fixture.archive("one:1", image)])
    return results.first?.failure as? RegistryError
  }

  @Test(
    "Whatever a registry answers to \"is it there\" but yes means that it is sent",
    arguments: [400, 401, 403, 405, 410, 500, 501, 503])
  func presence(_ status: Int) async throws {
    registry.accept("library/one", ["1"])
    let image = PushFixture.image([5_000])
    let blobs = ([image.config] + image.layers).map {
      TestRegistry.blobPath("library/one", $0.descriptor.digest)
    }
    for path in blobs + [TestRegistry.manifestPath("library/one", "1")] {
      registry.fault(path) { request, usual in request.method == "HEAD" ? TestServer.Response(status) : usual
      }
    }
    try await expectArrival(image, "\(status)")
  }

  @Test("A gateway that says yes to everything with a page of its own has nothing")
  func yesToEverything() async throws {
    registry.accept("library/one", ["1"])
    let image = PushFixture.image([5_000])
    for blob in [image.config] + image.layers {
      registry.fault(TestRegistry.blobPath("library/one", blob.descriptor.digest)) { request, usual in
        request.method == "HEAD" && usual.status == 404 ? .text("<html>") : usual
      }
    }
    try await expectArrival(image)
  }

  @Test("A mount that fails in any way becomes an upload", arguments: [400, 401, 403, 404, 405, 500, 502])
  func mount(_ status: Int) async throws {
    registry.accept("library/one", ["1"])
    registry.accept("library/two", ["1"])
    let image = PushFixture.image([5_000])
    for name in ["one", "two"] {
      registry.fault("/v2/library/\(name)/blobs/uploads/") { request, usual in
        request.query?.contains("mount=") == true ? TestServer.Response(status) : usual
      }
    }
    let archives = [try fixture.archive("one:1", image), try fixture.archive("two:1", image)]
    let results = try await fixture.push(to: registry.host).push(archives)
    #expect(results.allSatisfy { $0.failure == nil }, "\(results)")
    #expect(registry.blobs(in: "library/two").count == 2)
  }

  @Test(
    "Ranges that stand still, count otherwise, are one off or are none",
    arguments: ["0-0", "0-1", "bytes=0-99999", "1-400000", "0-400000", "400000-799999", "", "x"])
  func ranges(_ range: String) async throws {
    registry.accept("library/one", ["1"], largestBody: 1_500_000)
    for number in 1...12 {
      registry.fault("\(uploads)\(number)") { request, usual in
        request.method == "PATCH" && usual.status == 202
          ? usual.header("Range", range.isEmpty ? nil : range) : usual
      }
    }
    try await expectArrival(PushFixture.image([4_000_000]), range)
  }

  @Test("Proxies that take small bodies only", arguments: [1 << 20, 300_000, 100_000])
  func smallBodies(_ largest: Int) async throws {
    registry.accept("library/one", ["1"], largestBody: largest)
    try await expectArrival(PushFixture.image([2_000_000, 200_000]), "\(largest)")
  }

  @Test(
    "A location relative to the address that was asked, with a query or without", arguments: ["", "?state=x"])
  func relativeLocation(_ query: String) async throws {
    registry.accept("library/one", ["1"])
    registry.fault(uploads) { _, usual in
      guard let place = usual.headers.first(where: { $0.name == "Location" })?.value else { return usual }
      let name = place.prefix { $0 != "?" }.split(separator: "/").last ?? ""
      return usual.header("Location", "\(name)\(query)")
    }
    try await expectArrival(PushFixture.image([5_000]))
  }

  @Test("A location that names another machine is said to come from the registry")
  func internalHost() async throws {
    registry.accept("library/one", ["1"])
    registry.fault(uploads) { _, usual in
      usual.header("Location", "http://127.0.0.1:9/v2/library/one/blobs/uploads/x")
    }
    let error = try #require(try await failure())
    #expect(error.kind.code == "upload-address", "\(error)")
    #expect(
      error.detail.contains("the registry itself says that uploads go to http://127.0.0.1:9"), "\(error)")
  }

  @Test("A blob that is unknown right after it was sent is waited for")
  func unknownBlob() async throws {
    registry.accept("library/one", ["1"])
    registry.fault(TestRegistry.manifestPath("library/one", "1")) { request, usual in
      request.method == "PUT" && request.attempt <= 3
        ? TestRegistry.refusal(404, code: "MANIFEST_BLOB_UNKNOWN") : usual
    }
    try await expectArrival(PushFixture.image([5_000]))
  }

  @Test(
    "Refusals by name",
    arguments: [
      ("manifest", 412, "PRECONDITION", "tag 1 is configured as immutable", "immutable-tag"),
      (
        "manifest", 400, "TAG_INVALID", "The image tag '1' already exists and cannot be overwritten",
        "immutable-tag"
      ),
      ("manifest", 415, "MANIFEST_INVALID", "", "unsupported-type"),
      ("manifest", 400, "MANIFEST_INVALID", "unsupported media type", "unsupported-type"),
      (
        "manifest", 400, "MANIFEST_INVALID",
        "Failed to parse manifest: unknown manifest class for application/vnd.oci.image.manifest.v1+json",
        "unsupported-type"
      ), ("manifest", 400, "MANIFEST_INVALID", "missing signature key", "unsupported-type"),
      (
        "manifest", 503, "DENIED", "The system is in read only mode. Any modification is prohibited.",
        "read-only"
      ),
      ("upload", 405, "DENIED", "Registry is read-only", "read-only"),
      ("upload", 403, "DENIED", "adding 1 MiB will exceed the configured upper limit of 1 GiB", "quota"),
      ("upload", 412, "DENIED", "Quota exceeded", "quota"),
      ("upload", 404, "NAME_UNKNOWN", "repository name not known to registry", "no-project"),
      ("upload", 404, "NOT_FOUND", "project library not found", "no-project"),
      ("upload", 403, "DENIED", "requested access to the resource is denied", "denied"),
    ])
  func refusals(_ place: String, _ status: Int, _ code: String, _ message: String, _ kind: String)
    async throws
  {
    registry.accept("library/one", ["1"])
    let path = place == "upload" ? uploads : TestRegistry.manifestPath("library/one", "1")
    registry.fault(path) { request, usual in
      request.method == "POST" || request.method == "PUT"
        ? TestRegistry.refusal(status, code: code, message: message) : usual
    }
    let error = try #require(try await failure())
    #expect(error.kind.code == kind, "\(error)")
    if kind == "no-project" {
      #expect(error.detail.contains("there is no library in the registry"), "\(error)")
    }
  }

  @Test("A registry that has moved names its new address", arguments: [301, 302, 307, 308])
  func moved(_ status: Int) async throws {
    registry.accept("library/one", ["1"])
    registry.fault(uploads) { request, usual in
      request.method == "POST"
        ? .redirect(to: "https://registry.example.com:8443/v2/library/one/blobs/uploads/", status: status)
        : usual
    }
    let error = try #require(try await failure())
    #expect(error.kind == .pushRefused(.moved(to: "https://registry.example.com:8443")), "\(error)")
  }

  @Test(
    "A web page in place of an answer: who answers is no registry, and an account has nothing to do with it",
    arguments: [("upload", 200), ("upload", 403), ("upload", 404), ("manifest", 403), ("manifest", 405)])
  func webPage(_ place: String, _ status: Int) async throws {
    registry.accept("library/one", ["1"])
    let path = place == "upload" ? uploads : TestRegistry.manifestPath("library/one", "1")
    let page = "<!DOCTYPE html><html><head><title> Blocked by policy </title></head></html>"
    registry.fault(path) { request, usual in
      request.method == "POST" || request.method == "PUT" ? .text(page, status: status) : usual
    }
    let error = try #require(try await failure())
    #expect(error.kind == .badAnswer, "\(error)")
    #expect(error.detail.contains("a web page, \"Blocked by policy\""), "\(error)")
  }

  @Test("A registry that leads to a login page is not said to have moved there")
  func loginPage() async throws {
    registry.accept("library/one", ["1"])
    registry.fault(uploads) { request, usual in
      request.method == "POST" ? .redirect(to: "https://sso.example.com/login?next=/v2/&id=secret") : usual
    }
    let error = try #require(try await failure())
    #expect(error.kind == .badAnswer, "\(error)")
    #expect(error.detail.contains("leads to https://sso.example.com/login (302)"), "\(error)")
  }

  @Test("A redirect of \"is it there\" to where nobody answers is a no")
  func presenceElsewhere() async throws {
    registry.accept("library/one", ["1"])
    let image = PushFixture.image([5_000])
    for blob in [image.config] + image.layers {
      registry.fault(TestRegistry.blobPath("library/one", blob.descriptor.digest)) { request, usual in
        request.method == "HEAD" && usual.status == 404
          ? .redirect(to: "http://store.invalid/x?sig=secret", status: 307) : usual
      }
    }
    try await expectArrival(image)
  }

  @Test("A location with a fragment, which is never sent")
  func fragment() async throws {
    registry.accept("library/one", ["1"])
    registry.fault(uploads) { _, usual in
      guard let place = usual.headers.first(where: { $0.name == "Location" })?.value else { return usual }
      return usual.header("Location", "\(place)#state")
    }
    try await expectArrival(PushFixture.image([5_000]))
  }
}
