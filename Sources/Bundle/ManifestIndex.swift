import Integrity

/// Finds files of a manifest, which may have hundreds of thousands: what is held beside them are four bytes for each.
public struct ManifestIndex: Sendable {
  /// The files in order of paths: those of the manifest itself, where it has that order.
  private let files: [ManifestFile]
  /// Their places in order of digests.
  private let byContent: [UInt32]

  /// An index.
  ///
  /// - Parameters:
  ///   - files: The files of a manifest.
  ///   - findsContent: Whether files are looked for by their content, too.
  public init(_ files: [ManifestFile], findsContent: Bool = false) {
    let files = Manifest.sorted(files)
    self.files = files
    // A manifest of four thousand million files is far larger than what is read.
    byContent = findsContent ? files.indices.map(UInt32.init).sorted { Self.precedes($0, $1, files) } : []
  }

  /// In order of digests; of one content in order of paths.
  private static func precedes(_ left: UInt32, _ right: UInt32, _ files: [ManifestFile]) -> Bool {
    let (first, second) = (files[Int(left)].sha256, files[Int(right)].sha256)
    return first == second ? left < right : first < second
  }

  /// The file of a path.
  public func file(_ path: BundlePath) -> ManifestFile? {
    let place = files.indices.firstPlace { !(files[$0].path < path) }
    guard place < files.count, files[place].path == path else { return nil }
    return files[place]
  }

  /// The files with a content, in order of paths; none where the index was not made for that.
  public func files(of digest: Digest) -> some Sequence<ManifestFile> {
    let first = byContent.indices.firstPlace { !(files[Int(byContent[$0])].sha256 < digest) }
    return byContent[first...].lazy.map { files[Int($0)] }.prefix { $0.sha256 == digest }
  }
}

extension Range<Int> {
  /// The first place of a row at which something holds that holds for all behind it, too; the end where it holds nowhere.
  fileprivate func firstPlace(where holds: (Int) -> Bool) -> Int {
    var (low, high) = (lowerBound, upperBound)
    while low < high {
      let middle = low + (high - low) / 2
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
