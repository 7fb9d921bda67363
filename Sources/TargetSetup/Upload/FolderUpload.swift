import Concurrency
import Console
import Host
import Integrity
import Synchronization
import SystemPackage
import Transfer

/// How a folder is uploaded.
public struct UploadOptions: Sendable {
  /// How many files are under way at once.
  public var parallel = 6
  /// Whether nothing is written: the store is only asked.
  public var isDryRun = false
  /// Whether files are sent that are there already.
  public var isForced = false
  /// Whether the store is Artifactory, though its answers may not say so.
  public var isArtifactory = false
  /// How the store is spoken to.
  public var push = PushOptions()

  /// The defaults above.
  public init() {}
}

/// Brings all files of a folder into an HTTP store. What is there is not sent; one file's failure does not stop the
/// others, unless they would all fail the same way.
public struct FolderUpload: Sendable {
  /// The name of this work in events.
  public static let stage = "upload"

  private let plan: UploadPlan
  private let client: StoreClient
  private let options: UploadOptions
  private let emit: @Sendable (ConsoleEvent) -> Void
  /// Why no further file is tried.
  private let stop = StopReason()

  /// An upload; nothing is asked yet. The environment is the process's: credentials and CA certificates are taken from it;
  /// a proxy is read by libcurl itself.
  ///
  /// - Throws: `TransferError` when libcurl cannot be started.
  public init(
    _ plan: UploadPlan, to address: StoreAddress, environment: [String: String], options: UploadOptions,
    emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) throws {
    var transfer = TransferConfiguration(environment: environment, options: options.push) {
      FileTree.exists($0)
    }
    transfer.parallel = options.parallel
    transfer.perHost = options.parallel
    let host = address.base.origin.host
    let own = NetworkInterfaces.current().addresses.map(\.text)
    if !address.isOtherMachine || own.contains(host) || own.contains(where: { "[\($0)]" == host }) {
      transfer.noProxy = "*"
    }
    self.init(
      plan, to: address, credential: StoreCredential(environment), options: options,
      engine: try TransferEngine(transfer), emit: emit)
  }

  /// An upload by an engine.
  init(
    _ plan: UploadPlan, to address: StoreAddress, credential: StoreCredential?, options: UploadOptions,
    engine: TransferEngine, emit: @escaping @Sendable (ConsoleEvent) -> Void = { _ in }
  ) {
    self.plan = plan
    self.options = options
    self.emit = emit
    client = StoreClient(
      address, engine: engine, credential: credential, isArtifactory: options.isArtifactory)
  }

  /// Uploads.
  ///
  /// - Returns: What became of each file, in order of paths.
  /// - Throws: `CancellationError`.
  public func run() async throws -> [UploadResult] {
    emit(.stageStarted(Self.stage))
    emit(
      .stageTotals(Self.stage, items: plan.files.count + plan.problems.count, bytes: plan.totalSize))
    var results: [UploadResult] = []
    func take(_ result: UploadResult) {
      results.append(result)
      // The one that failed has said why.
      if result.outcome == .notTried { return }
      let outcome: ItemOutcome =
        switch result.outcome {
        case .sent, .replaced: .done
        case .linked, .present, .wouldSend, .wouldReplace: .skipped
        case .failed, .notTried:
          .failed(result.problem ?? Problem(kind: "other", subject: result.path, detail: result.detail))
        }
      emit(.itemFinished(Self.stage, item: result.path, outcome, bytes: result.size))
    }
    for (path, error) in plan.problems {
      let problem = Problem(error, about: path)
      take(
        UploadResult(
          path: path, url: client.address.shown(path), size: 0, outcome: .failed, sent: 0,
          detail: problem.sentence, problem: problem))
    }
    // The smallest goes first, alone: a wrong password is tried once, and does not lock a user out.
    let bySize = plan.files.sorted { ($1.size, $0.path) < ($0.size, $1.path) }
    if let scout = bySize.last { take(await bring(scout)) }
    await forEachConcurrently(bySize.dropLast(), limit: options.parallel) { file in
      await bring(file)
    } onResult: { _, result in
      take(result)
    }
    try Task.checkCancellation()
    let failed = results.count(where: \.isFailure)
    emit(.stageFinished(Self.stage, failed == 0 ? .done : .failed, summary: ""))
    return results.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  private func bring(_ file: UploadFile) async -> UploadResult {
    func result(
      _ outcome: UploadResult.Outcome, _ detail: String, sent: Int64 = 0, problem: Problem? = nil
    ) -> UploadResult {
      UploadResult(
        path: file.path, url: client.address.shown(file.path), size: file.size, outcome: outcome, sent: sent,
        detail: detail, problem: problem)
    }
    if let reason = stop.reason { return result(.notTried, reason.sentence, problem: reason) }
    do throws(StoreError) {
      var isThere = false
      if case .file(let stored) = try await client.find(file.path) {
        switch try await client.compare(stored, file) {
        case .same(let reason) where !options.isForced: return result(.present, reason)
        case .same, .different: isThere = true
        case .unknown: break
        }
      }
      if options.isDryRun { return result(isThere ? .wouldReplace : .wouldSend, "") }
      var digest = file.digest
      if client.isArtifactory {
        let known = try await client.digest(of: file)
        digest = known
        if try await client.deploy(file, known) { return result(.linked, "same SHA-256") }
      }
      let proof = try await send(file, digest)
      return result(isThere ? .replaced : .sent, proof, sent: file.size)
    } catch {
      let problem = Problem(error, about: file.path)
      if error.isFatal { stop.set(problem) }
      return result(.failed, problem.sentence, problem: problem)
    }
  }

  /// Sends a file and asks the store what it has now.
  ///
  /// - Returns: By what it is known to be there.
  private func send(_ file: UploadFile, _ digest: Digest?) async throws(StoreError) -> String {
    let emit = emit
    let body = FileBody(file) { emit(.bytes(Self.stage, $0)) }
    do throws(StoreError) {
      let stored: StoredFile
      if let said = try await client.put(file, body, digest), said.sha256 != nil {
        stored = said
      } else {
        switch try await client.find(file.path) {
        case .file(let found): stored = found
        // A server may answer "yes" to everything, such as the login page of a gateway.
        case .nothing:
          throw StoreError(
            .notKept, "the store \(client.address.description) took it and does not have it")
        case .untold: return "the store does not tell what it has"
        }
      }
      switch try await client.compare(stored, file) {
      case .same(let reason): return reason
      case .unknown: return "the store does not tell its size"
      case .different(let reason):
        throw StoreError(.changed, "the store took it, and it is not the same: \(reason)")
      }
    } catch {
      body.discard()
      throw error
    }
  }
}

/// Why no further file is tried; the first reason stays.
private final class StopReason: Sendable {
  private let problem = Mutex<Problem?>(nil)

  var reason: Problem? { problem.withLock { $0 } }
  func set(_ reason: Problem) { problem.withLock { $0 = $0 ?? reason } }
}
