import Bundle
import Console
import Files
import FoundationEssentials
import Glibc
import Integrity
import Settings
import Synchronization
import SystemPackage
import TestServer

@testable import DownloadAll

/// A folder with `outputs` and `cache`, a server, and runs of stages made up for a test.
final class RunFixture: Sendable {
  let server: TestServer
  let root: FilePath
  /// The variables that a run finds.
  let environment: [String: String]
  private let record = EventRecord()

  init(environment: [String: String] = [:]) throws {
    self.environment = environment
    server = try TestServer()
    root = try createTemporaryFolder(named: "download-all-test")
  }

  deinit { try? removeTree(root) }

  var outputs: FilePath { root.appending("outputs") }
  var cache: FilePath { root.appending("cache") }

  /// Settings that do not dawdle.
  var configuration: Configuration {
    var configuration = Configuration()
    configuration.outputs = outputs
    configuration.cache = cache
    configuration.lock = root.appending("bundle.lock")
    configuration.transfer.retries = 0
    configuration.transfer.connectTimeout = .seconds(5)
    configuration.proxy.no = "*"
    return configuration
  }

  /// A job of these stages.
  func job(
    _ stages: [TestStage], precheck: Bool = false, change: (inout Configuration) -> Void = { _ in }
  ) -> Job {
    var configuration = configuration
    change(&configuration)
    return Job(
      configuration, selection: (precheck ? [.precheck] : []) + stages.map(\.name), projectRoot: root)
  }

  /// What a run works with.
  func tools(_ job: Job) throws -> RunTools { try RunTools(job, environment: environment, emit: keep) }

  /// Keeps what a run reports.
  var keep: @Sendable (ConsoleEvent) -> Void {
    { [record] event in record.events.withLock { $0.append(event) } }
  }

  /// One run as a new process would make it.
  func run(
    _ stages: [TestStage], precheck: Bool = false, change: (inout Configuration) -> Void = { _ in }
  ) async throws -> RunReport {
    let job = job(stages, precheck: precheck, change: change)
    let tools = try tools(job)
    return try await Pipeline(job, tools, stages.flatMap { $0.rows(job, tools) }).execute()
  }

  /// What a run would do.
  func plan(_ stages: [TestStage]) async throws -> PlanReport {
    let job = job(stages)
    let tools = try tools(job)
    return try await Planning(job, tools, stages.flatMap { $0.rows(job, tools) }).report()
  }

  /// One run of a stage `files` that wants these.
  func run(
    _ artifacts: [Artifact], precheck: Bool = false, change: (inout Configuration) -> Void = { _ in }
  ) async throws -> RunReport {
    try await run([TestStage(.files) { artifacts }], precheck: precheck, change: change)
  }

  // MARK: What to fetch

  /// Serves a body at a path and wants it at `files` and that path.
  func artifact(
    _ path: String, _ text: String, isChecked: Bool = true, stage: StageName = .files
  ) throws -> Artifact {
    serve(path, text)
    return Artifact(
      path: try BundlePath("files" + path), source: .url(server.url(path)), stage: stage,
      digest: isChecked ? Digest(of: Array(text.utf8)) : nil,
      verification: isChecked ? .kubesprayChecksum : .none)
  }

  func serve(_ path: String, _ text: String) {
    server.serve(
      path,
      TestServer.Resource(
        TestServer.Body(text), entityTag: "\"\(Digest(of: Array(text.utf8)).hex.prefix(8))\""))
  }

  /// Requests for content; questions about sizes are not counted.
  var downloads: [String] { server.requests.filter { $0.method == "GET" }.map(\.path) }

  // MARK: What is on the disk

  func text(_ path: String) -> String? {
    var bytes: [UInt8] = []
    guard (try? readFile(root.appending(path)) { bytes.append(contentsOf: $0) }) != nil else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  func write(_ text: String, to path: String) throws {
    let place = root.appending(path)
    try createDirectories(place.removingLastComponent())
    try writeAtomically(text, to: place)
  }

  /// Puts other bytes of the same size into a file while size and date stay: only who reads it can tell.
  func poison(_ path: String) throws {
    let place = root.appending(path).string
    var before = stat()
    guard stat(place, &before) == 0 else { throw Errno(rawValue: errno) }
    let file = try FileDescriptor.open(place, .writeOnly)
    try file.closeAfter {
      _ = try file.writeAll(toAbsoluteOffset: 0, Array(repeating: 0x21, count: Int(before.st_size)))
    }
    let times = [before.st_atim, before.st_mtim]
    guard utimensat(AT_FDCWD, place, times, 0) == 0 else { throw Errno(rawValue: errno) }
  }

  func remove(_ path: String) throws {
    try FileManager.default.removeItem(atPath: root.appending(path).string)
  }

  /// Everything in `outputs`.
  var names: [String] { (try? BundleTree.files(below: outputs)) ?? [] }

  var manifest: Manifest? { (try? Manifest.load(from: outputs)) ?? nil }

  /// What the manifest says of what stages brought.
  var files: [ManifestFile]? {
    manifest?.files.filter { $0.path.description != BundleChecksums.fileName }
  }

  // MARK: What people were told

  var messages: [String] {
    record.events.withLock { events in
      events.compactMap { if case .message(_, let text, _) = $0 { text } else { nil } }
    }
  }

  /// What the line of a stage showed while no bytes moved.
  func activities(of stage: StageName) -> [String] {
    record.events.withLock { events in
      events.compactMap {
        if case .stageActivity(stage.rawValue, let text) = $0, !text.isEmpty { text } else { nil }
      }
    }
  }
}

/// What a run told. Apart from the fixture, which must be gone when its test is over, whoever still tells.
private final class EventRecord: Sendable {
  let events = Mutex<[ConsoleEvent]>([])
}

/// A stage of a test.
struct TestStage: Sendable {
  let name: StageName
  /// Its parts.
  let rows: @Sendable (Job, RunTools) -> [StageTable.Row]

  /// A stage that wants what a test says.
  init(
    _ name: StageName, needs: [StageName] = [],
    _ plan: @escaping @Sendable () async throws -> [Artifact] = { [] }
  ) {
    self.init(name) { _, _ in
      [StageTable.Row(name: name, needs: needs.map(Need.findings), stage: StubStage(plan: plan))]
    }
  }

  init(_ name: StageName, rows: @escaping @Sendable (Job, RunTools) -> [StageTable.Row]) {
    self.name = name
    self.rows = rows
  }
}

/// What a stage of a test does.
struct StubStage: Stage {
  var preparation: @Sendable () async -> Void = {}
  let plan: @Sendable () async throws -> [Artifact]

  func prepare() async { await preparation() }

  func artifacts() async throws -> [Artifact] { try await plan() }
}

/// A failure of a stage, for tests.
struct Broken: Error, CustomStringConvertible {
  let description = "the test broke it"
}

extension RunReport {
  /// Every failure as `item: reason`.
  var failures: [String] { stages.flatMap(\.failures).map(\.description) }
  /// Files that were whole already.
  var skipped: Int { stages.reduce(0) { $0 + $1.skipped } }
  /// Bytes that came over the network.
  var bytes: Int64 { stages.reduce(0) { $0 + $1.bytes } }
}
