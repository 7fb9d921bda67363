import Integrity

/// Which images still wait for which blobs.
struct ImageProgress {
  /// Bytes that came over the network and are not yet reported.
  var transferred: Int64 = 0
  /// The images, by index, that have all they need from the start.
  private(set) var complete: [Int] = []
  private var missing: [Set<Digest>]
  private var hasFailed: Set<Int> = []

  init(images: [[Digest]], missing: Set<Digest>) {
    self.missing = images.map { missing.intersection($0) }
    complete = self.missing.indices.filter { self.missing[$0].isEmpty }
  }

  /// Notes that a blob is here.
  ///
  /// - Returns: The images that now have all.
  mutating func arrived(_ digest: Digest) -> [Int] {
    missing.indices.filter { index in
      missing[index].remove(digest) != nil && missing[index].isEmpty && !hasFailed.contains(index)
    }
  }

  /// Notes that a blob cannot be had.
  ///
  /// - Returns: The images that fail by that, each reported once.
  mutating func failed(_ digest: Digest) -> [Int] {
    missing.indices.filter { missing[$0].contains(digest) && hasFailed.insert($0).inserted }
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
