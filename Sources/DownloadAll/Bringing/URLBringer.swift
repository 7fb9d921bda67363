import Bundle
import Concurrency
import Console
import Files
import Host
import Integrity
import SystemPackage
import Transfer

/// Fetches files over HTTP.
struct URLBringer: Bringer {
  let record: BundleRecord
  let downloads: Downloads
  /// How many connections there are at a time.
  let parallel: Int

  private var remote: RemoteFiles { downloads.remote }

  func brings(_ source: Artifact.Source) -> Bool {
    if case .url = source { true } else { false }
  }

  func inquire(about artifacts: [Artifact], asksHosts: Bool) async -> Inquiry {
    let answers = await remote.files(questions(artifacts, asksHosts: asksHosts))
    var inquiry = Inquiry()
    for artifact in artifacts {
      let answer = artifact.url.flatMap { try? answers[$0]?.get() }
      inquiry.hosts[artifact.path] = artifact.url.map(host)
      inquiry.expect(
        artifact, bytes: artifact.size ?? answer?.size, present: record.partSize(artifact), isRemote: true)
    }
    for (url, answer) in answers {
      let host = host(of: url)
      switch answer {
      case .failure(let error as TransferError) where error.kind.isAboutTheHost:
        inquiry.unreached[host] = Problem(unreachable: host, error.detail, error)
      case .success, .failure: inquiry.reached.insert(host)
      }
    }
    let now = secondsSince1970()
    // The smallest difference: an answer may come from a cache and be old, but none comes from the future.
    inquiry.clockSkew = answers.values.compactMap { try? $0.get().serverTime }.map { now - $0 }
      .min { abs($0) < abs($1) }
    return inquiry
  }

  /// What to ask: every file whose size nobody knows, and of the others one for each host, to see that it answers.
  private func questions(_ artifacts: [Artifact], asksHosts: Bool) -> [String] {
    var urls = artifacts.filter { $0.size == nil }.compactMap(\.url)
    guard asksHosts else { return urls }
    var hosts = Set(urls.map(host))
    for url in artifacts.filter({ $0.size != nil }).compactMap(\.url)
    where hosts.insert(host(of: url)).inserted {
      urls.append(url)
    }
    return urls
  }

  private func host(of url: String) -> String {
    let address = remote.address(of: url)
    return (try? TransferURL(address))?.origin.description ?? address
  }

  func bring(
    _ artifacts: [Artifact], _ inquiry: Inquiry, note: (Artifact, Result<FetchedFile, any Error>) -> Void
  ) async throws {
    // The largest first: what is left at the end is then small, and no connection idles for long.
    let sorted = artifacts.sorted { inquiry.sizes[$0.path, default: 0] > inquiry.sizes[$1.path, default: 0] }
    // Twice as many as connections: enough to keep all busy, few enough for open files.
    await forEachConcurrently(sorted, limit: parallel * 2) { artifact in
      await Result { try await fetch(artifact, announcedSize: inquiry.sizes[artifact.path]) }
    } onResult: { artifact, result in
      note(artifact, result)
    }
  }

  private func fetch(_ artifact: Artifact, announcedSize: Int64?) async throws -> FetchedFile {
    guard let url = artifact.url else { throw Errno.invalidArgument }
    let place = record.place(artifact)
    try createDirectories(place.removingLastComponent())
    guard
      let receipt = try await downloads.bring(
        url, to: place, digest: artifact.digest,
        // Servers that do not know the size before they send say 0 to HEAD.
        announcedSize: announcedSize == 0 ? nil : announcedSize, for: artifact.stage)
    else { throw UnaskedAnswer(url: hidingCredentials(url)) }
    record.verified.record(
      place, stage: artifact.stage, sha256: receipt.sha256, checked: artifact.digest,
      url: artifact.recordedOrigin, validator: receipt.validator)
    return FetchedFile(
      file: artifact.manifestFile(size: receipt.size, sha256: receipt.sha256),
      transferred: receipt.transferred)
  }
}

extension TransferError.Kind {
  /// Whether the error says something about the host and the way to it, rather than about one file.
  var isAboutTheHost: Bool {
    switch self {
    case .nameNotResolved, .connection, .stalled, .tls, .status(407), .badURL: true
    default: false
    }
  }
}

/// A server that answers "not modified" to a request that did not ask.
struct UnaskedAnswer: Error, CustomStringConvertible {
  let url: String

  var description: String {
    "\(url): the server sent no content, only that it has not changed"
  }
}
