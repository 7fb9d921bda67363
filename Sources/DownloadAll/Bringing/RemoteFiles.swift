import Bundle
import Concurrency
import Transfer

/// What servers say of the files that are wanted, each asked once in a run; and where mirrors are applied.
final class RemoteFiles: Sendable {
  private let engine: TransferEngine
  private let mirrors: [String: String]
  private let answers = Memos<String, RemoteFile>()

  init(engine: TransferEngine, mirrors: [String: String]) {
    self.engine = engine
    self.mirrors = mirrors
  }

  /// The address to ask for a URL: the URL itself, or its place on the mirror of its host.
  func address(of url: String) -> String {
    guard !mirrors.isEmpty, let scheme = url.firstRange(of: "://") else { return url }
    let rest = url[scheme.upperBound...]
    let host = rest.prefix { $0 != "/" }
    guard let base = mirrors[host.lowercased()] else { return url }
    return base + rest.dropFirst(host.count)
  }

  /// Who vouches for the bytes of a URL without a published checksum: a mirror may be asked without TLS.
  func verification(of url: String) -> Verification {
    Verification(withoutChecksum: address(of: url))
  }

  /// What the server says of a file.
  ///
  /// - Throws: `TransferError`.
  func file(_ url: String) async throws -> RemoteFile {
    let address = address(of: url)
    return try await answers.value(of: url) { [engine] in try await engine.probe(address) }
  }

  /// The answers for many files, asked side by side.
  func files(_ urls: some Sequence<String>) async -> [String: Result<RemoteFile, any Error>] {
    await withTaskGroup(of: (String, Result<RemoteFile, any Error>).self) { group in
      for url in Set(urls) {
        group.addTask { (url, await Result { try await self.file(url) }) }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }
}
