import Bundle
import Concurrency
import Integrity
import Transfer

/// Brings one blob into one repository (distribution-spec 1.1, "Pushing blobs"): whole if the registry takes it so, else
/// in parts; after a cut it goes on where the registry says it is, or starts again from the beginning.
struct BlobUpload {
  /// How it got there.
  enum Outcome: Equatable {
    /// The repository had it.
    case present
    /// Another repository of the registry has it.
    case mounted
    /// It was sent.
    case sent
  }

  /// Parts are this large, unless the registry wants others: each waits for an answer.
  static let usualChunk: Int64 = 16 << 20
  /// Parts smaller than this are never tried.
  static let smallestChunk: Int64 = 16 << 10
  /// How often parts are made smaller for one blob.
  private static let mostRefusals = 12

  /// An upload that the registry has opened.
  private struct Session {
    /// Where to send the next part.
    var location: TransferURL
    /// How many bytes the registry has.
    var offset: Int64 = 0
  }

  /// Why a part did not arrive, if that is not the end of it.
  private enum Setback: Error {
    /// The registry takes no such large part.
    case tooLarge
    /// Another attempt may succeed; the registry may have kept what arrived.
    case cut(RegistryError)
    /// Another attempt may succeed, from the start.
    case lost(RegistryError)
  }

  let client: PushClient
  let blob: Descriptor
  let destination: ImageReference

  /// Brings the blob there.
  ///
  /// - Parameters:
  ///   - source: A repository of the same registry that has it.
  ///   - open: Makes the reader; called when the blob must be sent. May take long.
  /// - Throws: ``RegistryError``; ``ImageArchiveError`` and others when the archive cannot be read.
  func run(
    mountingFrom source: String?, open: @Sendable () async throws -> BlobReader
  ) async throws -> Outcome {
    var session: Session?
    if let source {
      // Whatever comes of it but success, the blob can still be sent.
      do throws(RegistryError) {
        let response = try await begin("?mount=\(blob.digest)&from=\(source)", isSingle: true)
        if response.head.status == 201 { return .mounted }
        if response.head.status == 202 { session = try? self.session(response) }
      } catch {
        switch error.kind {
        case .transfer(.status): break
        case .transfer: throw error
        default: break
        }
      }
    }
    if session == nil, try await client.has(blob, destination) { return .present }
    let reader = try await open()
    do {
      return try await send(reader, session)
    } catch {
      reader.discard()
      throw error
    }
  }

  /// Sends the blob, again and again if need be.
  private func send(_ reader: BlobReader, _ opened: Session?) async throws -> Outcome {
    var session = opened
    var failures = 0
    var refusals = 0
    while true {
      let start = session?.offset ?? 0
      do {
        var current = try await self.start(session)
        defer { session = current }
        try await send(reader, &current)
        return .sent
      } catch Setback.tooLarge where refusals < Self.mostRefusals {
        session = nil
        refusals += 1
        continue
      } catch let setback as Setback {
        if case .lost = setback { reader.doubt() }
        if let session, session.offset - start >= 1 << 20 { failures = 0 }
        session = try await recover(from: setback, session, failures)
        failures += 1
        // The answer may have been all that was lost.
        if session == nil, try await client.has(blob, destination) { return .sent }
      }
    }
  }

  /// Waits, and finds out what is left of the upload.
  private func recover(
    from setback: Setback, _ session: Session?, _ failures: Int
  ) async throws -> Session? {
    let (error, mayGoOn) =
      switch setback {
      case .cut(let error): (error, true)
      case .lost(let error): (error, false)
      case .tooLarge:
        throw RegistryError(
          pushing: "the registry takes no parts of the size that it asks for itself", destination)
      }
    guard failures < client.configuration.retries else {
      if let elsewhere = elsewhere(session) { throw error.naming(uploadAddress: elsewhere) }
      client.giveUp(error)
      throw error
    }
    let ceiling = min(
      client.configuration.maximumBackoff, client.configuration.backoff * (1 << min(failures, 16)))
    try await Task.sleep(for: ceiling * (0.5 + Double.random(in: 0..<0.5)))
    guard mayGoOn, let session else { return nil }
    do {
      return try await resume(session)
    } catch let error as RegistryError {
      throw elsewhere(session).map { error.naming(uploadAddress: $0) } ?? error
    }
  }

  // MARK: The requests

  /// Where uploads are begun.
  private var uploads: String {
    "\(client.endpoint.root)/\(client.endpoint.repository(of: destination))/blobs/uploads/"
  }

  private func begin(_ query: String, isSingle: Bool = false) async throws(RegistryError) -> HTTPResponse {
    var request = HTTPRequest("POST", url: uploads + query)
    request.body = []
    request.followsRedirects = false
    if isSingle { request.finalStatuses = Set(500...599) }
    let response = try await client.ask(request, destination)
    guard (300..<400).contains(response.head.status) else { return response }
    let status = response.head.status
    let address = response.head.fields["Location"] ?? ""
    guard let next = (try? TransferURL(uploads))?.resolving(address) else {
      throw RegistryError(movedTo: address, status, destination, client.endpoint)
    }
    // What the query says is for whoever is behind that address.
    let path = next.text.prefix { $0 != "?" && $0 != "#" }
    // The path before that of the API is the registry's.
    guard let api = path.firstRange(of: "/v2/") else {
      throw RegistryError(leading: String(path), status, destination, client.endpoint)
    }
    throw RegistryError(movedTo: String(path[..<api.lowerBound]), status, destination, client.endpoint)
  }

  /// The machine that the registry has named for an upload, if that is another one than itself.
  private func elsewhere(_ session: Session?) -> String? {
    guard let session, let own = try? TransferURL(client.endpoint.root).origin, session.location.origin != own
    else { return nil }
    return "\(session.location.origin)"
  }

  private func start(_ session: Session?) async throws -> Session {
    if let session { return session }
    let response = try await begin("")
    guard response.head.status == 202 else {
      throw client.refusal(response, "opening an upload", destination)
    }
    return try self.session(response)
  }

  private func session(_ response: HTTPResponse) throws -> Session {
    if let text = response.head.fields["OCI-Chunk-Min-Length"], let least = ByteSize.parse(text), least > 0 {
      client.chunkSize = max(client.chunkSize ?? Self.usualChunk, least)
    }
    return Session(location: try location(response, of: uploads))
  }

  /// Where the answer says that it goes on; `current` when it does not say.
  private func location(_ response: HTTPResponse, of current: String) throws -> TransferURL {
    let base = try TransferURL(current)
    // What is behind "#" is never sent (RFC 9110, section 4.2.5).
    guard let text = response.head.fields["Location"]?.prefix(while: { $0 != "#" }) else { return base }
    guard let next = base.resolving(String(text)) else {
      throw RegistryError(
        pushing: "the registry names an upload address that is not a URL", destination)
    }
    let own = try TransferURL(client.endpoint.root).origin
    // Behind a proxy that ends TLS many registries name themselves without it.
    if next.origin.scheme == "http", own.scheme == "https" {
      guard next.origin.host == own.host,
        let path = next.text.dropFirst("http://".count).firstIndex(of: "/")
      else {
        throw RegistryError(
          pushing: "the registry wants blobs sent without TLS to \(next.origin)", destination)
      }
      return try TransferURL("\(own)\(next.text[path...])")
    }
    return next
  }

  /// Asks how far an upload has come; `nil` when the registry does not know.
  private func resume(_ session: Session) async throws -> Session? {
    let response = try await client.ask(HTTPRequest(url: session.location.text), destination)
    guard response.head.isSuccess, let next = received(response), next <= blob.size else { return nil }
    return Session(location: try location(response, of: session.location.text), offset: next)
  }

  /// How many bytes the registry says it has: `Range: 0-LAST`.
  private func received(_ response: HTTPResponse) -> Int64? {
    guard let text = response.head.fields["Range"] else { return nil }
    let bounds = text.split(separator: "=").last?.split(separator: "-") ?? []
    guard bounds.count == 2, bounds[0] == "0", let last = ByteSize.parse(String(bounds[1])) else {
      return nil
    }
    // distribution says 0-0 of an upload without any byte.
    return last == 0 ? 0 : last + 1
  }

  private func send(_ reader: BlobReader, _ session: inout Session) async throws {
    while let size = client.chunkSize, blob.size - session.offset > size {
      let end = session.offset + size
      let fields: HTTPFields = ["Content-Range": "\(session.offset)-\(end - 1)"]
      // What an answer says of its range is not believed: registries count from the part's start, one too many, or not at
      // all. One that has kept less says 416 to the next part, and is asked then.
      let response = try await transmit("PATCH", session.location.text, fields, reader, session.offset..<end)
      session = Session(
        location: try location(response, of: session.location.text),
        offset: end)
    }
    let separator = session.location.text.contains("?") ? "&" : "?"
    _ = try await transmit(
      "PUT", "\(session.location.text)\(separator)digest=\(blob.digest)", [:], reader,
      session.offset..<blob.size)
  }

  private func transmit(
    _ method: String, _ url: String, _ fields: HTTPFields, _ reader: BlobReader, _ range: Range<Int64>
  ) async throws -> HTTPResponse {
    try await offload { try reader.select(range) }
    var request = HTTPRequest(method, url: url, fields: fields)
    request.fields["Content-Type"] = "application/octet-stream"
    request.upload = reader
    request.stallTimeout = client.configuration.stallTimeout
    let response: HTTPResponse
    do {
      response = try await client.ask(request, destination, isSingle: true)
    } catch {
      if let failure = reader.failure { throw failure }
      if error.isTransient { throw Setback.cut(error) }
      let place = (try? TransferURL(url)).flatMap { elsewhere(Session(location: $0)) }
      throw place.map { error.naming(uploadAddress: $0) } ?? error
    }
    let error = client.refusal(response, "taking \(blob.digest)", destination)
    switch response.head.status {
    case 200..<300: return response
    case 405, 411, 413, 501:
      let smaller = min(Self.usualChunk * 4, Int64(range.count)) / 4
      guard smaller >= Self.smallestChunk else { throw error }
      // Another blob may have learned of it already.
      client.chunkSize = min(client.chunkSize ?? smaller, smaller)
      throw Setback.tooLarge
    case 416: throw Setback.cut(error)
    // The upload is unknown, or its bytes are not those that were sent.
    case 400, 404: throw Setback.lost(error)
    default: throw error
    }
  }
}

extension RegistryError {
  /// The registry's answer to a push is against the specification.
  fileprivate init(pushing detail: String, _ image: ImageReference) {
    self.init(.badAnswer, image: image, detail: detail)
  }
}
