import Bundle
import Integrity
import Synchronization
import SystemPackage

/// One push of several images: what each still lacks, and what became of it.
final class PushSession: Sendable {
  /// A blob, and the images that lack it.
  struct Job: Sendable {
    let blob: Descriptor
    let images: [Int]
  }

  private struct Progress {
    /// Blobs that are not there yet.
    var missing = 0
    var sent: Int64 = 0
    var replaced: Digest?
    var isDone = false
  }

  private struct State {
    var progress: [Progress]
    /// A repository of the registry that is known to have the blob.
    var places: [Digest: String] = [:]
    var results: [PushResult] = []
  }

  let images: [PushImage]
  private let onEvent: @Sendable (PushEvent) -> Void
  private let state: Mutex<State>

  init(_ images: [PushImage], onEvent: @escaping @Sendable (PushEvent) -> Void) {
    self.images = images
    self.onEvent = onEvent
    state = Mutex(State(progress: images.map { _ in Progress() }))
  }

  /// What has been finished so far.
  var results: [PushResult] { state.withLock { $0.results } }

  /// The repository of each blob that is known to be in the registry.
  var knownPlaces: [Digest: String] { state.withLock { $0.places } }

  func isDone(_ image: Int) -> Bool { state.withLock { $0.progress[image].isDone } }

  /// A repository that has a blob.
  func place(of blob: Digest) -> String? { state.withLock { $0.places[blob] } }

  func note(_ blob: Digest, isIn repository: String) {
    state.withLock { $0.places[blob] = $0.places[blob] ?? repository }
  }

  func note(_ image: Int, replaces digest: Digest?) {
    state.withLock { $0.progress[image].replaced = digest }
  }

  func count(_ bytes: Int64, for image: Int) {
    state.withLock { $0.progress[image].sent += bytes }
    onEvent(bytes > 0 ? .sent(bytes) : .voided(-bytes))
  }

  /// The blobs to bring, image by image, those with most bytes first: so images are finished one after the other, and
  /// what is left in the end is small.
  func jobs() -> [Job] {
    let open = images.indices.filter { !isDone($0) }
    let sizes = Dictionary(
      uniqueKeysWithValues: open.map { index in
        (index, images[index].image.blobs.byteSum(of: \.size))
      })
    let order = open.sorted { (sizes[$0] ?? 0, $1) > (sizes[$1] ?? 0, $0) }
    var blobs: [Descriptor] = []
    var lacking: [Digest: [Int]] = [:]
    for index in order {
      let own = images[index].image.blobs.filter { !$0.isForeign }.sorted { $0.size > $1.size }
      state.withLock { $0.progress[index].missing = own.count }
      for blob in own {
        if lacking[blob.digest] == nil { blobs.append(blob) }
        lacking[blob.digest, default: []].append(index)
      }
      images[index].contents.announce(own.map(\.digest))
    }
    onEvent(.planned(images: open.count, bytes: blobs.byteSum(of: \.size)))
    return blobs.map { Job(blob: $0, images: lacking[$0.digest] ?? []) }
  }

  /// One blob more is there; says whether it was the image's last.
  func arrived(_ image: Int) -> Bool {
    state.withLock { state in
      state.progress[image].missing -= 1
      return state.progress[image].missing == 0 && !state.progress[image].isDone
    }
  }

  /// Images of which all blobs are there and that have no name yet. To be asked when the jobs are done.
  var complete: [Int] {
    state.withLock { state in
      state.progress.indices.filter { state.progress[$0].missing == 0 && !state.progress[$0].isDone }
    }
  }

  /// The archives of which something is to be brought, in the order in which they are needed.
  func archives(of jobs: [Job]) -> [FilePath] {
    var seen: Set<FilePath> = []
    return jobs.flatMap(\.images).map { images[$0].contents.path }.filter { seen.insert($0).inserted }
  }

  /// Records the end of an image, once.
  func finish(
    _ image: Int, _ outcome: PushResult.Outcome, failure: (any Error)? = nil, remark: String? = nil
  ) {
    let item = images[image]
    let result: PushResult? = state.withLock { state in
      guard !state.progress[image].isDone else { return nil }
      state.progress[image].isDone = true
      var result = PushResult(
        archive: item.contents.path, reference: item.image.reference, destination: "\(item.destination)",
        digest: item.digest, outcome: outcome)
      result.bytesSent = state.progress[image].sent
      result.remark =
        outcome == .failed ? remark : [item.remark, remark].compactMap { $0 }.reduceJoined()
      result.failure = failure
      if outcome == .pushed(replaced: nil) {
        result.outcome = .pushed(replaced: state.progress[image].replaced)
      }
      state.results.append(result)
      return result
    }
    guard let result else { return }
    if !images.indices.contains(where: { images[$0].contents === item.contents && !isDone($0) }) {
      item.contents.close()
    }
    onEvent(.finished(result))
  }

  /// Records that an image failed, once.
  func finish(_ image: Int, failed error: any Error) { finish(image, .failed, failure: error) }

  /// Records an archive that could not be read.
  func finish(_ archive: FilePath, failed error: any Error) {
    let result = PushResult(
      archive: archive, reference: nil, destination: nil, digest: nil, outcome: .failed, failure: error)
    state.withLock { $0.results.append(result) }
    onEvent(.finished(result))
  }
}

extension [String] {
  /// All in one sentence; `nil` when there are none.
  fileprivate func reduceJoined() -> String? { isEmpty ? nil : joined(separator: "; ") }
}

extension Descriptor {
  /// Whether registries do not keep it.
  var isForeign: Bool { mediaType.isForeignLayer }
}
