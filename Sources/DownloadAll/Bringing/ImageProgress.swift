import Integrity

/// Which images still wait for which blobs.
struct ImageProgress {
  /// Bytes that came over the network and are not yet reported.
  var transferred: Int64 = 0
  /// The images, by index, that have all they need from the start.
  private(set) var complete: [Int] = []
  private var missing: [Set<Digest>]
  /// The images, by index and in their order, that wait for a blob: a thousand images are not asked about each one.
  private var waiting: [Digest: [Int]] = [:]
  private var hasFailed: Set<Int> = []

  init(images: [[Digest]], missing: Set<Digest>) {
    self.missing = images.map { missing.intersection($0) }
    complete = self.missing.indices.filter { self.missing[$0].isEmpty }
    for (index, blobs) in self.missing.enumerated() {
      for blob in blobs { waiting[blob, default: []].append(index) }
    }
  }

  /// Notes that a blob is here.
  ///
  /// - Returns: The images that now have all.
  mutating func arrived(_ digest: Digest) -> [Int] {
    (waiting.removeValue(forKey: digest) ?? []).filter { index in
      missing[index].remove(digest) != nil && missing[index].isEmpty && !hasFailed.contains(index)
    }
  }

  /// Notes that a blob cannot be had.
  ///
  /// - Returns: The images that fail by that, each reported once.
  mutating func failed(_ digest: Digest) -> [Int] {
    (waiting[digest] ?? []).filter { hasFailed.insert($0).inserted }
  }

  /// Of images, by index, the first one that can still be made and waits for a blob.
  func first(of images: [Int], waitingFor digest: Digest) -> Int? {
    images.first { missing[$0].contains(digest) && !hasFailed.contains($0) }
  }

  /// The bytes since the last call.
  mutating func takeTransferred() -> Int64 {
    defer { transferred = 0 }
    return transferred
  }
}
