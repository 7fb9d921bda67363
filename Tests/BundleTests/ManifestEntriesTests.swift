import Files
import Foundation
import Integrity
import SystemPackage
import TestSupport
import Testing

@testable import Bundle

/// The list of files is read and written by this program's own code, and means what Foundation's coders make of it.
@Suite("A manifest's list of files") struct ManifestEntriesTests {
  private static func encoder(_ formatting: JSONEncoder.OutputFormatting) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    return encoder
  }

  /// Made of a seed: files of all kinds, some with texts that have to be escaped.
  private func manifest(_ random: inout Numbers) throws -> Manifest {
    let words = [
      "a", "Über", "e\u{301}", "\u{212A}", "quote'", "dot.s", "bundle", "b c", "x\u{7f}", "日本", "😀", "%20",
    ]
    let texts = words + ["\"", "\\", "\n", "\u{1}", "\u{2028}", "https://example.com/a?b=c&d", "/"]
    var files: [ManifestFile] = []
    for number in 0..<random.next(40) {
      let names = (0...random.next(3)).map { _ in words[random.next(words.count)] }
      let path = try BundlePath("files/\(number)-" + names.joined(separator: "/"))
      var file = ManifestFile(
        path: path, size: [0, 1, 99, 1 << 40][random.next(4)], sha256: Digest(of: [UInt8(number)]),
        url: random.next(2) == 0 ? nil : texts[random.next(texts.count)] + texts[random.next(texts.count)],
        stage: StageName.allCases[random.next(StageName.allCases.count)],
        verification: Verification.allCases[random.next(Verification.allCases.count)])
      if random.next(5) == 0 { file.image = try image(&random) }
      files.append(file)
    }
    var manifest = Manifest(
      tool: texts[random.next(texts.count)], created: "2026-01-01T00:00:00Z", kubespray: "2.30.0",
      architecture: "amd64", stages: [.files], files: files)
    if random.next(2) == 0 {
      manifest.proof = ClosureProof(key: "k", kubespray: "2", architectures: [], inventory: nil)
    }
    return manifest
  }

  private func image(_ random: inout Numbers) throws -> ManifestImage {
    var image = ManifestImage(
      reference: try ImageReference("nginx:1.29.4"), digest: Digest(of: [4]),
      platforms: random.next(2) == 0 ? [] : ["linux/amd64"], layers: random.next(9))
    if random.next(2) == 0 {
      image.attached = [ManifestAttached(digest: Digest(of: [6]), type: "x\ny", tag: "t", isSignature: true)]
    }
    if random.next(2) == 0 { image.blobs = [Digest(of: [7], algorithm: .sha512)] }
    return image
  }

  @Test(arguments: 0..<60) func `A manifest is read and written as Foundation does it`(_ seed: Int) throws {
    var random = Numbers(seed)
    let manifest = try manifest(&random)
    let pretty: JSONEncoder.OutputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let encoded = Array(try Self.encoder(pretty).encode(manifest))
    #expect(try manifest.encoded() == encoded + [UInt8(ascii: "\n")])
    // Compact, keys in any order, and slashes as escapes; then as it is written.
    for bytes in [Array(try Self.encoder([]).encode(manifest)), encoded] {
      #expect(Manifest.quickly(bytes) == manifest, "\(String(decoding: bytes, as: UTF8.self))")
      #expect(try Manifest.decoded(bytes, "input") == manifest)
    }
  }

  private static let entry =
    "\"path\": \"files/a\", \"size\": 3, \"sha256\": \"sha256:\(String(repeating: "a1", count: 32))\", "
    + "\"stage\": \"files\", \"verification\": \"local\""

  private static func text(files: String, more: String = "") -> String {
    "{\(more) \"format\": 1, \"tool\": \"t\", \"created\": \"c\", \"kubespray\": \"k\", \"architecture\": \"a\", "
      + "\"stages\": [\"files\"], \"files\": \(files)}"
  }

  /// What is read without the decoder, and says the same.
  @Test(arguments: [
    text(files: "[]"), text(files: "[ ]"), text(files: "[{\(entry)}]"),
    text(files: "[{\(entry)}]", more: "\"x\": {\"files\": [1, {\"y\": \"]}\"}]}, \"z\": [], \"n\": null,"),
    text(files: "[{ \(entry), \"later\": {\"path\": [\"\\\"\"]}, \"more\": -1.5e3 }\n]"),
    text(files: "[{\(entry), \"url\": null, \"image\": null}]"),
    text(files: "[{\(entry), \"url\": \"\"}]"),
    text(files: "[{\(entry), \"url\": \"\\u00e9\\ud83d\\ude00\\/\"}]"),
    text(files: "[{\(entry.replacing("a1a1", with: "A1a1"))}]"),
    text(files: "[{\(entry.replacing("files/a", with: "files\\/a"))}]"),
    text(files: "[{\(entry)}, {\(entry.replacing("files/a", with: "b"))}]"),
    text(files: "[{\(entry.replacing("files/a", with: "bundle"))}, {\(entry)}]"),
  ])
  func `What is understood is what the decoder makes of it`(_ text: String) throws {
    let manifest = try #require(Manifest.quickly(Array(text.utf8)))
    #expect(try Manifest.decoded(Array(text.utf8), "input") == manifest)
  }

  /// What is left to the decoder: it may take it or say why not.
  @Test(arguments: [
    "null", "{}", "7", "[null]", "[[]]", "[{}]", "[{\(entry)}, 7]",
    "[{\(entry.replacing("3", with: "3.0"))}]", "[{\(entry.replacing("3", with: "3e0"))}]",
    "[{\(entry.replacing("3", with: "-3"))}]", "[{\(entry.replacing("3", with: "\"3\""))}]",
    "[{\(entry.replacing(": 3,", with: ": 9223372036854775807,"))}]",
    "[{\(entry.replacing("\"files/a\"", with: "\"\\ud800\""))}]",
    "[{\(entry.replacing("\"files/a\"", with: "\"../a\""))}]",
    "[{\(entry.replacing("\"files/a\"", with: "null"))}]",
    "[{\(entry.replacing("sha256:a1", with: "sha512:a1"))}]",
    "[{\(entry.replacing("\"files\"", with: "\"none\""))}]",
    "[{\(entry), \"url\": 7}]", "[{\(entry), \"image\": {}}]", "[{\(entry)}, {\(entry)}]",
    "[{\(entry)}, {\(entry.replacing("files/a", with: "files"))}]",
    "[{\(entry)}, {\(entry.replacing("files/a", with: "Files/A"))}]",
  ])
  func `What is not understood is left to the decoder`(_ files: String) {
    #expect(Manifest.quickly(Array(Self.text(files: files).utf8)) == nil)
  }

  @Test func `A list that is cut off at any byte is no trap`() {
    let bytes = Array(Self.text(files: "[{\(Self.entry), \"url\": \"\\n\"}]", more: "\"x\": [1],").utf8)
    for end in 0..<bytes.count { #expect(Manifest.quickly(Array(bytes[..<end])) == nil) }
  }

  @Test func `Places are found among many`() throws {
    func files(_ more: String...) throws -> [ManifestFile] {
      try ((0..<5000).map { "files/\($0 % 7)/Ä-\($0)" } + more).map {
        ManifestFile(
          path: try BundlePath($0), size: 1, sha256: Digest(of: []), url: nil, stage: .files,
          verification: .local)
      }
    }
    func fault(_ files: [ManifestFile]) -> String? {
      do throws(ManifestFault) {
        try ManifestPlaces.check(files)
        return nil
      } catch { return error.description }
    }
    #expect(fault(try files()) == nil)
    #expect(fault(try files("files/3/Ä-3")) == "\"files/3/Ä-3\" is there twice")
    #expect(fault(try files("Files/3/ä-3")) == "\"files/3/Ä-3\" and \"Files/3/ä-3\" are one name on FAT")
    #expect(
      fault(try files("FILES/4"))?.contains("\"FILES/4\" is a file, and a folder of \"files/4/Ä-4\"") == true)
    #expect(fault(try files("files/5/ä-5/x"))?.contains("is a file, and a folder of") == true)
  }
}

/// Numbers that are the same for one seed (SplitMix64, Steele, Lea, Flood 2014).
private struct Numbers {
  private var state: UInt64

  init(_ seed: Int) { state = UInt64(seed) }

  mutating func next(_ bound: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int((mixed ^ (mixed >> 31)) % UInt64(max(1, bound)))
  }
}
