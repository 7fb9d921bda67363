import Integrity

/// A part of an image archive: the content of a blob, or what lies between blobs.
struct TarSegment: Equatable {
  /// Where it is.
  let range: Range<Int64>
  /// The blob that its name says it is; `nil` for anything else.
  let blob: Digest?

  var size: Int64 { range.upperBound - range.lowerBound }
}

/// Cuts the tar in an image archive into blobs and what lies between them. Whatever is not understood is between blobs, so
/// that the parts together are always the whole.
///
/// Source: POSIX, pax, "ustar Interchange Format"; OCI image-spec, image-layout.md, for the names of blobs.
enum TarSegments {
  private static let block: Int64 = 512
  private static let blobFolder = "blobs/sha256/"

  /// The parts of an archive, in their order.
  ///
  /// - Throws: `FileError`.
  static func of(_ stream: StoredArchive) throws -> [TarSegment] {
    var segments: [TarSegment] = []
    var (place, between) = (Int64(0), Int64(0))
    while place + block <= stream.size {
      let header = try stream.bytes(place..<place + block)
      guard let entry = Header(header), entry.size <= stream.size - place - block else { break }
      let content = place + block
      let end = content + entry.size
      if let blob = entry.blob, entry.size > 0 {
        segments.append(TarSegment(range: between..<content, blob: nil))
        segments.append(TarSegment(range: content..<end, blob: blob))
        between = end
      }
      place = end + (block - entry.size % block) % block
    }
    if between < stream.size { segments.append(TarSegment(range: between..<stream.size, blob: nil)) }
    return segments
  }

  /// The header of an entry.
  private struct Header {
    let size: Int64
    let blob: Digest?

    /// `nil` for anything else, the empty blocks at the end of a tar too.
    init?(_ bytes: [UInt8]) {
      // The sum is made with blanks in its own place.
      let sum = bytes.indices.byteSum { 148..<156 ~= $0 ? 0x20 : Int64(bytes[$0]) }
      guard Self.number(bytes[148..<156]) == sum, let size = Self.number(bytes[124..<136]) else { return nil }
      self.size = size
      // A regular file, the whole of whose name is in the first field.
      let isFile = bytes[156] == UInt8(ascii: "0") || bytes[156] == 0
      let name = String(decoding: bytes[0..<100].prefix { $0 != 0 }, as: UTF8.self)
      guard isFile, bytes[345] == 0, name.hasPrefix(TarSegments.blobFolder) else {
        blob = nil
        return
      }
      let hex = String(name.dropFirst(TarSegments.blobFolder.count))
      let digest = try? Digest(algorithm: .sha256, hex: hex)
      blob = digest?.hex == hex ? digest : nil
    }

    /// An octal number, or one of GNU's binary ones.
    private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
      if field.first == 0x80 {
        let digits = field.dropFirst().drop { $0 == 0 }
        return digits.count > 7 ? nil : ByteSize.checked(digits.reduce(0) { $0 << 8 | Int64($1) })
      }
      let digits = field.drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
      let rest = field[digits.endIndex...]
      guard !digits.isEmpty, digits.count < 20, rest.allSatisfy({ $0 == 0 || $0 == 0x20 }) else { return nil }
      return ByteSize.checked(digits.reduce(0) { $0 << 3 | Int64($1 - 0x30) })
    }
  }
}
