import Archive
import Files
import Integrity
import SystemPackage
import TestRegistry
import TestServer
import Testing

@testable import Registry

/// Numbers in archives and in answers to a push that no file has.
@Suite(.timeLimit(.minutes(10))) struct ImpossibleSizeTests {
  private let fixture: PushFixture

  init() throws { fixture = try PushFixture() }

  /// The header of a tar entry (POSIX, "ustar Interchange Format").
  private func header(_ name: String, type: Character, size: String) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      block.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
    }
    put(name, at: 0)
    put(size, at: 124)
    put(String(type), at: 156)
    put("ustar\u{0}00", at: 257)
    put("        ", at: 148)
    let sum = block.reduce(into: 0) { $0 += Int($1) }
    let octal = String(sum, radix: 8)
    put(String(repeating: "0", count: 6 - octal.count) + octal + "\u{0} ", at: 148)
    return block
  }

  @Test(
    "sizes in a pax header",
    arguments: [
      "9223372036854775807", "4800000000000000000", "1152921504606846976", "1152921504606846977", "-1",
      "1e300",
      "99999999999999999999999999",
    ])
  func pax(_ size: String) throws {
    var record = " size=\(size)\n"
    record = "\(record.utf8.count + 2)" + record
    var tar = header("pax", type: "x", size: String(record.utf8.count, radix: 8))
    tar += Array(record.utf8) + [UInt8](repeating: 0, count: 512 - record.utf8.count)
    tar += header("blob", type: "0", size: "0")
    let path = fixture.folder.appending("hostile.tar")
    try writeAtomically(tar, to: path)
    #expect(throws: StoredStreamError.self) {
      try TarIndex(StoredStream(plain: try RandomAccessFile(path)))
    }
  }

  @Test(
    "numbers of received bytes",
    arguments: ["0-9223372036854775807", "0-4800000000000000000", "0--1", "0-1e300", "x"])
  func received(_ range: String) async throws {
    let registry = try TestRegistry()
    // Large enough for parts, so that the answers say how far it is.
    let image = PushFixture.image([600_000])
    registry.accept("app", ["1"], largestBody: 500_000)
    for number in 1...40 {
      registry.fault("/v2/app/blobs/uploads/\(number)") { request, usual in
        request.method == "PUT" ? usual : usual.header("Range", range)
      }
    }
    let results = try await fixture.push(to: registry.host).push([try fixture.archive("app:1", image)])
    #expect(results.count == 1)
  }

  @Test(
    "least sizes of parts", arguments: ["9223372036854775807", "1152921504606846976", "-1", "1e300"])
  func leastPart(_ least: String) async throws {
    let registry = try TestRegistry()
    registry.accept("app", ["1"])
    registry.fault("/v2/app/blobs/uploads/") { _, usual in usual.header("OCI-Chunk-Min-Length", least) }
    let results = try await fixture.push(to: registry.host)
      .push([try fixture.archive("app:1", PushFixture.image([600_000]))])
    #expect(results.count == 1)
  }
}
