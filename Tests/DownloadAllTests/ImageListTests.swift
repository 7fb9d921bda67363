import Bundle
import Files
import Integrity
import SystemPackage
import Testing

@testable import DownloadAll

@Suite struct ImageListTests {
  let fixture: RunFixture

  init() throws {
    fixture = try RunFixture()
  }

  private func list(_ text: String, named name: String = "images.txt") throws -> FilePath {
    let path = fixture.root.appending(name)
    try writeAtomically(text, to: path)
    return path
  }

  @Test(arguments: ["\n", "\r\n", "\r", " \t\r\n"])
  func commentsAndBlankLinesArePassedOver(_ lineEnd: String) throws {
    let lines = [
      "# mine", "", "  nginx:1.29.4  ", "quay.io/calico/node:v3.30.5 # the network", "myreg:5000/app",
    ]
    let images = try ImageList.read(try list("\u{feff}" + lines.joined(separator: lineEnd)))
    #expect(
      images.map(\.reference.description) == [
        "docker.io/library/nginx:1.29.4", "quay.io/calico/node:v3.30.5", "myreg:5000/app:latest",
      ])
    #expect(images.last?.origin.hasSuffix("images.txt line 5") == true)
  }

  @Test(arguments: ["nginx:1\nbad//name\n", "nginx:1\nnginx busybox\n"])
  func aBadLineIsNamed(_ text: String) throws {
    let path = try list(text)
    let error = #expect(throws: ImageListError.self) { try ImageList.read(path) }
    #expect("\(try #require(error))".contains("images.txt line 2"))
  }

  @Test func aListInUTF16IsRefusedByItsName() throws {
    let path = try list("")
    try writeAtomically([0xff, 0xfe, 0x6e, 0, 0x67, 0], to: path)
    let error = #expect(throws: ImageListError.self) { try ImageList.read(path) }
    #expect("\(try #require(error))".contains("images.txt: it cannot be read: it is in UTF-16"))
  }

  @Test func aFolderOfListsIsReadInOrderAndMayBeMissing() throws {
    #expect(try ImageList.readAll(in: fixture.root.appending("none")).isEmpty)
    _ = try list("b:1", named: "b.txt")
    _ = try list("a:1", named: "a.txt")
    _ = try list("c:1", named: "c.md")
    #expect(
      try ImageList.readAll(in: fixture.root).map(\.reference.repository) == ["library/a", "library/b"])
  }

  @Test func anImageIsReadyWithItsLastBlobAndFailsOnce() {
    let blobs = (0..<4).map { Digest(of: [UInt8($0)]) }
    var progress = ImageProgress(
      images: [[blobs[0], blobs[1]], [blobs[1], blobs[2]], [blobs[3]], [blobs[1], blobs[2]]],
      missing: Set(blobs[0...2]))
    #expect(progress.complete == [2])
    #expect(progress.arrived(blobs[0]).isEmpty)
    #expect(progress.arrived(blobs[1]) == [0])
    #expect(progress.failed(blobs[2]) == [1, 3])
    #expect(progress.failed(blobs[2]).isEmpty)
    #expect(progress.arrived(blobs[2]).isEmpty)
  }
}
