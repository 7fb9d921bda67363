import Files
import Glibc
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
    var template = Array("/tmp/transfer-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw Errno(rawValue: errno) }
    folder = FilePath(String(cString: made))
  }

  deinit {
    for name in names { unlink(folder.appending(name).string) }
    rmdir(folder.string)
  }

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

  func read(_ name: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    guard (try? readFile(folder.appending(name)) { bytes.append(contentsOf: $0) }) != nil else { return nil }
    return bytes
  }

  /// The names in the folder.
  var names: [String] {
    guard let stream = opendir(folder.string) else { return [] }
    defer { closedir(stream) }
    var found: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { found.append(name) }
    }
    return found.sorted()
  }
}

extension DownloadOutcome {
  var receipt: DownloadReceipt? {
    if case .downloaded(let receipt) = self { receipt } else { nil }
  }
}
