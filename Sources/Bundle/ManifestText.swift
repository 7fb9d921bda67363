import FoundationEssentials

/// The text of a manifest, to the byte as Foundation's encoder writes it with sorted keys.
///
/// The encoder makes objects of a whole value before it writes any of it, ten times as many bytes as the text. So it gets
/// each entry that holds an image and what is not the list of files, and the lines of the list are written here.
struct ManifestText {
  private static let pieceSize = 1 << 20

  private let encoder = JSONEncoder()
  private let manifest: Manifest

  init(_ manifest: Manifest) {
    self.manifest = manifest
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  }

  /// Gives the text in pieces of about 1 MiB.
  ///
  /// - Throws: An `EncodingError`, or what `body` throws.
  func forEachPiece(_ body: ([UInt8]) throws -> Void) throws {
    var rest = manifest
    rest.files = []
    let text = Array(try encoder.encode(rest))
    // No string has a line feed in it, and what lies deeper has more spaces in front.
    let list = Array("\n  \"files\" : [\n".utf8)
    guard !manifest.files.isEmpty, let place = text.firstRange(of: list) else {
      return try body(Array(try encoder.encode(manifest)) + [UInt8(ascii: "\n")])
    }
    var piece = Array(text[..<place.upperBound])
    for (index, file) in manifest.files.enumerated() {
      if index > 0 { piece += ",\n".utf8 }
      try append(file, to: &piece)
      guard piece.count >= Self.pieceSize else { continue }
      try body(piece)
      piece.removeAll(keepingCapacity: true)
    }
    // Of an empty list there is the line feed that stood between its brackets.
    try body(piece + text[place.upperBound...] + [UInt8(ascii: "\n")])
  }

  private func append(_ file: ManifestFile, to piece: inout [UInt8]) throws {
    piece += "    {\n".utf8
    if let image = file.image {
      piece += "      \"image\" : ".utf8
      let lineFeed = UInt8(ascii: "\n")
      for byte in try encoder.encode(image) {
        // What lies deeper is indented; the empty line of an empty list is not.
        if piece.last == lineFeed, byte != lineFeed { piece += "      ".utf8 }
        piece.append(byte)
      }
      piece += ",\n".utf8
    }
    piece += "      \"path\" : ".utf8
    try append(file.path.description, to: &piece)
    piece += ",\n      \"sha256\" : \"\(file.sha256)\",\n      \"size\" : \(file.size)".utf8
    piece += ",\n      \"stage\" : \"\(file.stage.rawValue)\"".utf8
    if let url = file.url {
      piece += ",\n      \"url\" : ".utf8
      try append(url, to: &piece)
    }
    piece += ",\n      \"verification\" : \"\(file.verification.rawValue)\"\n    }".utf8
  }

  private func append(_ text: String, to piece: inout [UInt8]) throws {
    let isPlain = text.utf8.allSatisfy {
      $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    guard isPlain else {
      piece += try encoder.encode(text)
      return
    }
    piece.append(UInt8(ascii: "\""))
    piece += text.utf8
    piece.append(UInt8(ascii: "\""))
  }
}
