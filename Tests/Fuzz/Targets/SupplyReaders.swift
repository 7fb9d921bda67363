import Bundle
import Files
import FoundationEssentials
import Integrity
import SystemPackage

@testable import Supply

/// Readers of what goes from one bundle to the next.
let supplyReaders = [
  Reader("delta-index") { bytes in
    guard let index = try? DeltaIndex(decoding: bytes, from: "input") else { return }
    for archive in index.archives {
      try hold(
        archive.blocks.byteSum { Int64($0) } == archive.segments.byteSum(of: \.size),
        "the parts of \(archive.path) fill it")
    }
    for piece in index.pieces {
      try hold(BundlePathCheck.isInside(piece.place), "a piece stays in its folder")
    }
    let again = try? DeltaIndex(decoding: try index.encoded(), from: "input")
    try hold(again == index, "an index that is written reads the same")
  },
  Reader("media-index") { bytes in
    // Whoever changes bytes changes the digest of the set, and nothing else of it is looked at: so it is made right.
    let decoded = try? MediaIndex(decoding: MediaIndex.rightingID(bytes), from: "input")
    guard let index = decoded else { return }
    try hold(1...index.set.parts ~= index.part, "the medium is one of the set")
    for file in index.set.files {
      try hold(BundlePathCheck.isInside(file.path), "a path stays in its folder: \(file.path)")
      for number in file.pieces.indices {
        try hold(BundlePathCheck.isInside(file.name(of: number)), "a piece stays on its medium")
        try hold(file.offset(of: number) + file.pieces[number].size <= file.size, "a piece lies in its file")
      }
    }
  },
  Reader(file: "damage-list") { file in
    guard let list = try? DamageList(reading: file) else { return }
    try list.write(to: file)
    try hold(try DamageList(reading: file) == list, "a list that is written reads the same")
  },
  Reader(file: "stored-archive") { file in
    let descriptor = try openFile(file, .readOnly)
    defer { try? descriptor.close() }
    guard let archive = try StoredArchive(descriptor, file) else { return }
    let segments = try TarSegments.of(archive)
    try hold(segments.byteSum(of: \.size) == archive.size, "the parts are the whole")
    var made: [UInt8] = []
    var framing = try StoredFraming(head: archive.head, blocks: archive.blocks) { made += Array($0) }
    for segment in segments { try archive.read(segment.range) { try framing.add($0) } }
    try hold(made + archive.tail == (try readBytes(file)), "the file can be made again")
  },
]

/// Whether a path stays where it is used.
private enum BundlePathCheck {
  static func isInside(_ path: String) -> Bool {
    let place = FilePath("/folder").pushing(FilePath(path)).lexicallyNormalized()
    return place.starts(with: "/folder") && place != "/folder" && !path.contains("\0")
  }
}

extension MediaIndex {
  /// The bytes of an index with the digest that its set has; other bytes as they are.
  fileprivate static func rightingID(_ bytes: [UInt8]) -> [UInt8] {
    guard var index = try? JSONDecoder().decode(MediaIndex.self, from: Data(bytes)),
      let id = try? index.set.id()
    else { return bytes }
    index.id = id
    return (try? index.encoded()) ?? bytes
  }
}
