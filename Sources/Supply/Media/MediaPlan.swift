import Bundle
import Files
import Integrity
import SystemPackage

/// Where each file goes when a bundle is spread over media of one size. The same content and size give the same plan, so
/// that one medium can be written again alone.
public struct MediaPlan: Sendable {
  /// The most bytes of a file on FAT.
  private static let largestFile: Int64 = (1 << 32) - 1
  /// Disks give out room in units; the largest that FAT and exFAT formatters choose for such media.
  private static let cluster: Int64 = 32 << 10
  /// The least room of a medium that is planned with.
  private static let smallest: Int64 = 1 << 20

  /// What all media hold together.
  public let set: MediaSet
  let content: MediaContent

  /// Plans media.
  ///
  /// - Parameters:
  ///   - content: What is carried.
  ///   - capacity: The room on each medium, in bytes.
  /// - Throws: ``MediaError`` or ``DeltaError``; `FileError` for a file that cannot be read.
  public init(_ content: MediaContent, capacity: Int64) throws {
    guard capacity >= Self.smallest else { throw MediaError.tooSmall(capacity) }
    self.content = content
    // Of each medium the index and what the file system needs for itself: its tables, folders and names.
    let index = content.files.byteSum { Int64($0.path.utf8.count) + 400 }
    let room = capacity - index - capacity / 100 - 4 * Self.cluster
    guard room >= Self.smallest / 2 else { throw MediaError.tooSmall(capacity) }
    var layout = Layout(room: room, largest: min(room, Self.largestFile) / Self.cluster * Self.cluster)
    for file in content.files.sorted(by: { ($1.size, $0.path) < ($0.size, $1.path) }) { layout.place(file) }
    var files: [MediaFile] = []
    for file in content.files {
      let cuts = layout.cuts[file.path] ?? []
      let digests = cuts.count == 1 ? [file.sha256] : try Self.digests(of: file, cuts, content)
      files.append(
        MediaFile(
          path: file.path, size: file.size, sha256: file.sha256, isProgram: file.isProgram ? true : nil,
          pieces: zip(cuts, digests).map { .init(part: $0.part, size: $0.size, sha256: $1) }))
    }
    set = MediaSet(bundle: content.bundle, parts: layout.used.count, capacity: capacity, files: files)
  }

  /// The bytes that go to a medium, without its index.
  public func bytes(of part: Int) -> Int64 {
    set.files.byteSum { $0.pieces.filter { $0.part == part }.byteSum(of: \.size) }
  }

  private struct Cut {
    let part: Int
    let size: Int64
  }

  /// Whole files go where there is room, the large ones first. Only what is larger than a medium is cut.
  private struct Layout {
    let room: Int64
    let largest: Int64
    /// The room that is taken on each medium.
    var used: [Int64] = []
    var cuts: [String: [Cut]] = [:]

    init(room: Int64, largest: Int64) {
      self.room = room
      self.largest = largest
    }

    mutating func place(_ file: MediaContent.File) {
      var left = file.size
      var cuts: [Cut] = []
      repeat {
        let size = min(left, largest)
        cuts.append(Cut(part: part(for: size), size: size))
        left -= size
      } while left > 0
      self.cuts[file.path] = cuts
    }

    private mutating func part(for size: Int64) -> Int {
      let taken = (size + MediaPlan.cluster - 1) / MediaPlan.cluster * MediaPlan.cluster
      if let index = used.firstIndex(where: { room - $0 >= taken }) {
        used[index] += taken
        return index + 1
      }
      used.append(taken)
      return used.count
    }
  }

  private static func digests(
    of file: MediaContent.File, _ cuts: [Cut], _ content: MediaContent
  ) throws -> [Digest] {
    let place = content.folder.appending(FilePath(file.path).components)
    let descriptor = try openProved(FilePath(file.path), beneath: content.folder, size: file.size) {
      .bundleDamaged($0, how: $1)
    }
    defer { try? descriptor.close() }
    var start: Int64 = 0
    return try cuts.map { cut in
      defer { start += cut.size }
      var hasher = DigestHasher(.sha256)
      try readPart(descriptor, place, start..<start + cut.size) { hasher.update($0) }
      return hasher.finalize()
    }
  }
}

/// Reads a part of an open file in pieces of at most 1 MiB.
///
/// - Throws: `FileError`; also when the file is shorter. Or what `body` throws.
func readPart(
  _ descriptor: FileDescriptor, _ path: FilePath, _ range: Range<Int64>,
  _ body: (UnsafeRawBufferPointer) throws -> Void
) throws {
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
  defer { buffer.deallocate() }
  var place = range.lowerBound
  while place < range.upperBound {
    let wanted = Int(min(range.upperBound - place, Int64(buffer.count)))
    let count = try FileError.naming(.read, path) {
      try descriptor.read(
        fromAbsoluteOffset: place, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
    }
    guard count > 0 else { throw FileError(.read, path, .ioError) }
    try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    place += Int64(count)
  }
}
