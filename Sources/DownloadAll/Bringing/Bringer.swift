import Bundle
import Console
import Integrity

/// Brings the artifacts of one kind of source into the bundle: all that a stage has of them, since some share parts.
protocol Bringer: Sendable {
  /// Whether it brings what comes from there.
  func brings(_ source: Artifact.Source) -> Bool

  /// Finds out what can be known before anything is brought.
  ///
  /// - Parameter asksHosts: Whether every host is to be asked whether it answers, even where nothing else is to be
  ///   learned of it.
  func inquire(about artifacts: [Artifact], asksHosts: Bool) async -> Inquiry

  /// Brings artifacts.
  ///
  /// - Parameters:
  ///   - inquiry: What was found out about them.
  ///   - note: Called with each as it comes to its end.
  /// - Throws: `Errno`, or `CancellationError`. Failures of single artifacts are noted.
  func bring(
    _ artifacts: [Artifact], _ inquiry: Inquiry, note: (Artifact, Result<FetchedFile, any Error>) -> Void
  ) async throws
}

/// A file that was brought into the bundle.
struct FetchedFile: Sendable {
  let file: ManifestFile
  /// Bytes that came over the network for it.
  let transferred: Int64
}

/// What is known of artifacts before they are brought.
struct Inquiry: Sendable {
  /// Their sizes in bytes, as far as they are known.
  var sizes: [BundlePath: Int64] = [:]
  /// How many bytes each will take on the disk beyond what is there.
  var room: [(path: BundlePath, bytes: Int64)] = []
  /// How many bytes will move.
  var transfer: Int64 = 0
  /// How many of them come over the network.
  var remote: Int64 = 0
  /// The hosts that answer.
  var reached: Set<String> = []
  /// Those that do not, and why.
  var unreached: [String: Problem] = [:]
  /// Which of them has an artifact.
  var hosts: [BundlePath: String] = [:]
  /// By how many seconds this machine's clock is ahead of the servers'; the smallest difference that was seen.
  var clockSkew: Int64?
  /// What people should know.
  var warnings: [String] = []

  /// Adds what is known of one artifact.
  ///
  /// - Parameters:
  ///   - bytes: Its size, where it is known.
  ///   - present: Bytes of it that are on the disk already.
  ///   - isRemote: Whether it comes over the network.
  mutating func expect(_ artifact: Artifact, bytes: Int64?, present: Int64 = 0, isRemote: Bool = false) {
    sizes[artifact.path] = bytes
    let bytes = bytes ?? 0
    room.append((artifact.path, max(0, bytes - present)))
    transfer = ByteSize.sum(transfer, bytes)
    if isRemote { remote = ByteSize.sum(remote, bytes) }
  }

  /// Adds what was found out of others.
  mutating func add(_ other: Inquiry) {
    sizes.merge(other.sizes) { first, _ in first }
    room += other.room
    transfer = ByteSize.sum(transfer, other.transfer)
    remote = ByteSize.sum(remote, other.remote)
    reached.formUnion(other.reached)
    unreached.merge(other.unreached) { first, _ in first }
    hosts.merge(other.hosts) { first, _ in first }
    clockSkew = [clockSkew, other.clockSkew].compactMap(\.self).min { abs($0) < abs($1) }
    warnings += other.warnings
  }

  /// The hosts that did not answer at all, in order of names.
  var silentHosts: [Problem] { silent.sorted { $0.key < $1.key }.map(\.value) }

  private var silent: [String: Problem] { unreached.filter { !reached.contains($0.key) } }

  /// Takes out what nothing that was asked for needs and whose host does not answer, and forgets that host.
  mutating func leaveOut(of artifacts: [Artifact]) -> LeftOut {
    var leftOut = LeftOut()
    let silent = silent
    for artifact in artifacts where artifact.purpose != nil {
      guard let host = hosts[artifact.path], let problem = silent[host] else { continue }
      leftOut.add(artifact, host: host, reason: problem.detail)
    }
    let paths = Set(leftOut.artifacts.map(\.path))
    let needed = Set(artifacts.filter { !paths.contains($0.path) }.compactMap { hosts[$0.path] })
    unreached = unreached.filter {
      silent[$0.key] == nil || needed.contains($0.key) || !hosts.values.contains($0.key)
    }
    room.removeAll { paths.contains($0.path) }
    return leftOut
  }
}

extension Problem {
  /// A host that does not answer, with the advice for the error.
  init(unreachable host: String, _ detail: String, _ error: any Error) {
    self.init(
      kind: "host-unreachable", subject: host, detail: "cannot be reached: \(detail)",
      advice: Problem(error, about: host).advice)
  }
}
