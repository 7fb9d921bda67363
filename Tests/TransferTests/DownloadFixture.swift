import Files
import Integrity
import Synchronization
import SystemPackage
import TestServer

@testable import Transfer

/// A folder of its own, an engine that does not dawdle, and a server, for one test.
final class DownloadFixture: Sendable {
  let server: TestServer
  let folder: FilePath
  private let events = Mutex<[DownloadEvent]>([])

  init() throws {
    server = try TestServer()
    folder = try createTemporaryFolder(named: "transfer-test")
  }

  deinit { try? removeTree(folder) }

  /// An engine with short pauses.
  func engine(_ change: (inout TransferConfiguration) -> Void = { _ in }) throws -> TransferEngine {
    var configuration = TransferConfiguration()
    configuration.initialBackoff = .milliseconds(2)
    configuration.maximumBackoff = .milliseconds(10)
    configuration.retries = 3
    configuration.noProxy = "*"
    change(&configuration)
    return try TransferEngine(configuration)
  }

  /// A download of a path of the server into the folder.
  func download(_ path: String = "/file", digest: Digest? = nil) -> Download {
    Download(url: server.url(path), destination: folder.appending("file"), digest: digest)
  }

  /// Runs a download and keeps its events.
  func run(
    _ download: Download, on engine: TransferEngine
  ) async throws(TransferError) -> DownloadOutcome {
    try await engine.download(download) { event in self.events.withLock { $0.append(event) } }
  }

  var recordedEvents: [DownloadEvent] { events.withLock { $0 } }

  /// The content at the final name, `nil` when nothing is there.
  var content: [UInt8]? { read("file") }

  func read(_ name: String) -> [UInt8]? { try? readBytes(folder.appending(name)) }

  /// The bytes at hand of a file that is not complete.
  var part: [UInt8]? { try? readBytes(Download.partFile(of: folder.appending("file"))) }

  /// Leaves a part as a killed run does.
  ///
  /// - Parameter note: What is noted of it, but for the URL.
  func leavePart(_ bytes: [UInt8], _ note: String) throws {
    let destination = folder.appending("file")
    try writeAtomically(bytes, to: Download.partFile(of: destination))
    try writeAtomically("\(server.url("/file"))\n\(note)", to: Download.metaFile(of: destination))
  }

  /// The names in the folder.
  var names: [String] { (try? listFolder(folder)) ?? [] }
}

extension DownloadOutcome {
  var receipt: DownloadReceipt? {
    if case .downloaded(let receipt) = self { receipt } else { nil }
  }
}
