import Integrity
import Registry
import Synchronization
import TestServer

extension TestRegistry {
  /// What was and is being uploaded.
  struct Uploads {
    /// The bytes of uploads under way, by their path.
    var open: [String: [UInt8]] = [:]
    var count = 0
    /// Where each blob is.
    var blobs: [String: [Digest: [UInt8]]] = [:]
    /// What a manifest's path leads to.
    var manifests: [String: (type: String, bytes: [UInt8])] = [:]
  }

  /// Takes blobs, and manifests under these names, into a repository (distribution-spec 1.1, "Push").
  ///
  /// - Parameters:
  ///   - names: Tags, and digests of manifests that have no tag.
  ///   - largestBody: What a request may send; more is refused with 413.
  ///   - minimumChunk: Announced as `OCI-Chunk-Min-Length`.
  public func accept(
    _ repository: String, _ names: [String], largestBody: Int = .max, minimumChunk: Int? = nil
  ) {
    route("/v2/\(repository)/blobs/uploads/") { [weak self] request in
      self?.open(request, repository, largestBody, minimumChunk) ?? TestServer.Response(500)
    }
    for name in names {
      route(Self.manifestPath(repository, name)) { [weak self] request in
        self?.manifest(request, repository) ?? TestServer.Response(500)
      }
    }
  }

  /// The blobs that were uploaded or mounted into a repository.
  public func blobs(in repository: String) -> [Digest: [UInt8]] {
    state.withLock { $0.uploads.blobs[repository] ?? [:] }
  }

  /// The manifest that was put under a name.
  public func manifest(_ repository: String, _ name: String) -> [UInt8]? {
    state.withLock { $0.uploads.manifests[Self.manifestPath(repository, name)]?.bytes }
  }

  private func open(
    _ request: TestServer.Request, _ repository: String, _ largest: Int, _ minimum: Int?
  ) -> TestServer.Response {
    let query = Self.parameters(request)
    if let from = query["from"], let digest = query["mount"].flatMap({ try? Digest($0) }),
      let bytes = blobs(in: from)[digest]
    {
      keep(bytes, digest, repository)
      return TestServer.Response(201)
    }
    let path = state.withLock { state in
      state.uploads.count += 1
      let path = "/v2/\(repository)/blobs/uploads/\(state.uploads.count)"
      state.uploads.open[path] = []
      return path
    }
    route(path) { [weak self] request in
      self?.take(request, repository, path, largest) ?? TestServer.Response(500)
    }
    // As distribution does, with a query of its own.
    let response = TestServer.Response(202, headers: [("Location", "\(path)?state=x"), ("Range", "0-0")])
    return response.header("OCI-Chunk-Min-Length", minimum.map { "\($0)" })
  }

  private func take(
    _ request: TestServer.Request, _ repository: String, _ path: String, _ largest: Int
  ) -> TestServer.Response {
    guard request.body.count <= largest else { return TestServer.Response(413).framed(.untilClose) }
    let had = state.withLock { $0.uploads.open[path] }
    guard let had else { return Self.refusal(404, code: "BLOB_UPLOAD_UNKNOWN") }
    let start = request[header: "Content-Range"].flatMap { $0.split(separator: "-").first }.flatMap {
      Int($0)
    }
    if let start, start != had.count { return Self.refusal(416, code: "RANGE_INVALID") }
    let bytes = request.method == "GET" ? had : had + request.body
    guard request.method == "PUT" else {
      state.withLock { $0.uploads.open[path] = bytes }
      return TestServer.Response(
        request.method == "GET" ? 204 : 202,
        headers: [("Location", "\(path)?state=x"), ("Range", "0-\(max(0, bytes.count - 1))")])
    }
    state.withLock { $0.uploads.open[path] = nil }
    guard let digest = Self.parameters(request)["digest"].flatMap({ try? Digest($0) }),
      Digest(of: bytes) == digest
    else { return Self.refusal(400, code: "DIGEST_INVALID") }
    keep(bytes, digest, repository)
    return TestServer.Response(201)
  }

  private func keep(_ bytes: [UInt8], _ digest: Digest, _ repository: String) {
    state.withLock { $0.uploads.blobs[repository, default: [:]][digest] = bytes }
    route(Self.blobPath(repository, digest)) { _ in TestServer.Response(200, body: .init(bytes)) }
  }

  private func manifest(_ request: TestServer.Request, _ repository: String) -> TestServer.Response {
    if request.method == "PUT" {
      let (digest, type) = (Digest(of: request.body), request[header: "Content-Type"] ?? "")
      for path in [request.path, Self.manifestPath(repository, "\(digest)")] {
        state.withLock { $0.uploads.manifests[path] = (type, request.body) }
      }
      return TestServer.Response(201, headers: [("Docker-Content-Digest", "\(digest)")])
    }
    guard let found = state.withLock({ $0.uploads.manifests[request.path] }) else {
      return Self.refusal(404, code: "MANIFEST_UNKNOWN")
    }
    return TestServer.Response(
      headers: [("Content-Type", found.type), ("Docker-Content-Digest", "\(Digest(of: found.bytes))")],
      body: .init(found.bytes))
  }

  private static func parameters(_ request: TestServer.Request) -> [String: String] {
    var result: [String: String] = [:]
    for part in (request.query ?? "").split(separator: "&") {
      let halves = part.split(separator: "=", maxSplits: 1)
      if halves.count == 2 { result[String(halves[0])] = String(halves[1]) }
    }
    return result
  }
}
