import Files
import Integrity
import Synchronization
import SystemPackage
import Transfer

/// Asks one HTTP store.
final class StoreClient: Sendable {
  private static let stallTimeout = Duration.seconds(300)
  /// Files up to this size are read from a store that does not tell checksums, to be compared.
  static let comparedSize: Int64 = 1 << 20

  private struct State {
    var isArtifactory: Bool
    /// Whether the server makes no folders by itself.
    var wantsFolders = false
    /// The folders that are there.
    var folders: Set<String> = []
  }

  let address: StoreAddress
  private let engine: TransferEngine
  private let credential: StoreCredential?
  private let state: Mutex<State>

  init(
    _ address: StoreAddress, engine: TransferEngine, credential: StoreCredential?, isArtifactory: Bool
  ) {
    self.address = address
    self.engine = engine
    self.credential = address.hasCredentials ? nil : credential
    state = Mutex(State(isArtifactory: isArtifactory))
  }

  /// Whether the store is known to be Artifactory.
  var isArtifactory: Bool { state.withLock { $0.isArtifactory } }

  /// What the store has at a path.
  ///
  /// - Throws: ``StoreError``.
  func find(_ path: String) async throws(StoreError) -> FoundFile {
    var request = HTTPRequest("HEAD", url: address.url(of: path))
    request.followsRedirects = false
    // Some stores cannot answer this question at all; what they think of a file shows when it is sent.
    request.finalStatuses = Set(500...599)
    var response = try await ask(request)
    if let place = response.redirect(from: request.url) {
      // To storage elsewhere, questions may be sent on. To the same host by another scheme, files would have to be.
      guard place.origin.host != address.base.origin.host || place.origin.scheme == address.base.origin.scheme
      else { throw moved(to: place, path) }
      request.followsRedirects = true
      response = try await ask(request)
    }
    if response.head.isOfArtifactory { state.withLock { $0.isArtifactory = true } }
    switch response.head.status {
    case 200..<300: return .file(StoredFile(response.head))
    case 401: throw refusal(response, "asking for it")
    case 404, 410: return .nothing
    default: return .untold
    }
  }

  /// Compares what the store has with a file; may read the file, and fetch what is small.
  ///
  /// - Throws: ``StoreError``.
  func compare(_ stored: StoredFile, _ file: UploadFile) async throws(StoreError) -> Comparison {
    if let size = stored.size, size != file.size {
      return .different("the store has \(size) bytes, the file has \(file.size)")
    }
    if let sha256 = stored.sha256 {
      if try await digest(of: file) == sha256 { return .same("same SHA-256") }
      if !stored.isGuess { return .different("the store has another SHA-256") }
    }
    if let checksum = stored.checksum {
      let isSame = try await reading(file) { try checksum.matches(file: $0) }
      let name = checksum.algorithm == .sha1 ? "SHA-1" : "MD5"
      if isSame { return .same("same \(name)") }
      if !stored.isGuess { return .different("the store has another \(name)") }
    }
    guard file.size <= Self.comparedSize else { return stored.size == nil ? .unknown : .same("same size") }
    var request = HTTPRequest(url: address.url(of: file.path))
    request.bodyLimit = Int(Self.comparedSize)
    let response = try await ask(request)
    guard response.head.isSuccess else { return .unknown }
    return try await digest(of: file) == Digest(of: response.body)
      ? .same("same content") : .different("the store has another content")
  }

  /// What a file hashes to: what the bundle says, or else what it has.
  ///
  /// - Throws: ``StoreError``.
  func digest(of file: UploadFile) async throws(StoreError) -> Digest {
    if let digest = file.digest { return digest }
    return try await reading(file) { try Digest(ofFile: $0) }
  }

  /// Asks Artifactory to make the file of a content that it has (REST API, "Deploy Artifact by Checksum").
  ///
  /// - Returns: Whether it is there now.
  /// - Throws: ``StoreError``.
  func deploy(_ file: UploadFile, _ digest: Digest) async throws(StoreError) -> Bool {
    var request = HTTPRequest("PUT", url: address.url(of: file.path))
    request.body = []
    request.fields["X-Checksum-Deploy"] = "true"
    request.fields["X-Checksum-Sha256"] = digest.hex
    request.followsRedirects = false
    let response = try await ask(request)
    switch response.head.status {
    case 200..<300:
      // A server that does not know the field has made an empty file of it, which is then sent after all.
      guard let created = StoredFile(created: response.body) else { return false }
      return created.sha256 == digest
    case 401, 403: throw refusal(response, "asking for it by checksum")
    default: return false
    }
  }

  /// Sends a file.
  ///
  /// - Returns: What the store says that it has now, if it says so.
  /// - Throws: ``StoreError``.
  func put(_ file: UploadFile, _ body: FileBody, _ digest: Digest?) async throws(StoreError) -> StoredFile? {
    var request = HTTPRequest("PUT", url: address.url(of: file.path))
    request.upload = body
    request.stallTimeout = Self.stallTimeout
    request.fields["Content-Type"] = "application/octet-stream"
    request.fields["X-Checksum-Sha256"] = digest?.hex
    request.followsRedirects = false
    var mayLackFolder = !isArtifactory && file.path.contains("/")
    if mayLackFolder, state.withLock({ $0.wantsFolders }) {
      _ = try await makeFolders(above: file.path)
      mayLackFolder = false
    }
    // WebDAV makes no folders by itself and says 409 (RFC 4918, section 9.7.1), or 500 as nginx does.
    request.finalStatuses = mayLackFolder ? [500] : []
    var response = try await ask(request, body)
    if mayLackFolder, [409, 500].contains(response.head.status) {
      let isMade = try await makeFolders(above: file.path)
      if isMade { state.withLock { $0.wantsFolders = true } }
      request.finalStatuses = []
      if isMade || response.head.status == 500 { response = try await ask(request, body) }
    }
    // 303 leads to what was made of it (RFC 9110, section 15.4.4).
    if response.head.status == 303 { return nil }
    if let place = response.redirect(from: request.url) {
      // What is sent goes to the same server only.
      guard [307, 308].contains(response.head.status), place.origin == address.base.origin,
        place.text != request.url
      else { throw moved(to: place, file.path) }
      request.url = place.text
      response = try await ask(request, body)
      if response.head.status == 303 { return nil }
      if let next = response.redirect(from: request.url) { throw moved(to: next, file.path) }
    }
    guard response.head.isSuccess else { throw refusal(response, "taking it") }
    return StoredFile(created: response.body)
  }

  /// Makes the folders above a path; false when the server knows no such thing.
  private func makeFolders(above path: String) async throws(StoreError) -> Bool {
    let names = path.split(separator: "/").dropLast()
    for count in names.indices {
      let folder = names[...count].joined(separator: "/")
      if state.withLock({ $0.folders.contains(folder) }) { continue }
      var request = HTTPRequest("MKCOL", url: address.url(of: folder) + "/")
      request.followsRedirects = false
      let response = try await ask(request)
      // 405 says that something is there.
      guard response.head.isSuccess || [301, 405].contains(response.head.status) else { return false }
      state.withLock { _ = $0.folders.insert(folder) }
    }
    return !names.isEmpty
  }

  private func ask(_ question: HTTPRequest, _ body: FileBody? = nil) async throws(StoreError) -> HTTPResponse
  {
    var request = question
    request.fields["Authorization"] = credential?.authorization
    let response: HTTPResponse
    do throws(TransferError) {
      response = try await engine.response(to: request)
    } catch {
      if let failure = body?.failure { throw StoreError(.unreadable, failure.detail) }
      throw StoreError(error, address)
    }
    return response
  }

  private func moved(to place: TransferURL, _ path: String) -> StoreError {
    var shown = place.redacted.prefix { $0 != "?" }
    let tail = address.url(of: path).dropFirst(address.base.text.count)
    if shown.hasSuffix(tail) { shown.removeLast(tail.count) }
    return StoreError(
      .moved(to: String(shown)), "\(address.description) redirects to \(shown)", isFatal: true)
  }

  private func refusal(_ response: HTTPResponse, _ doing: String) -> StoreError {
    StoreError(response, doing, address, hasCredential: credential != nil || address.hasCredentials)
  }

  private func reading<T: Sendable>(
    _ file: UploadFile, _ work: @escaping @Sendable (FilePath) throws -> T
  ) async throws(StoreError) -> T {
    let place = file.place
    do {
      return try await offloaded { try work(place) }
    } catch {
      throw StoreError(.unreadable, "\(place) cannot be read: \(FileError.reason(error))")
    }
  }
}

extension HTTPResponse {
  /// Where the answer sends on to; `nil` when it is not a redirect.
  fileprivate func redirect(from url: String) -> TransferURL? {
    guard [301, 302, 303, 307, 308].contains(head.status), let location = head.fields["Location"] else {
      return nil
    }
    return (try? TransferURL(url))?.resolving(location)
  }
}
