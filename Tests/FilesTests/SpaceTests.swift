import Files
import SystemPackage
import Testing

@Suite struct SpaceTests {
  @Test func spaceOfAMissingFolderIsThatOfItsParent() throws {
    let here = try FileSystemSpace.at("/usr")
    #expect(here.totalBytes > 0)
    #expect(here.availableBytes <= here.totalBytes)
    #expect(try FileSystemSpace.at("/usr/no/such/folder").totalBytes == here.totalBytes)
    #expect(try FileSystemSpace.at("no-such-folder/x").totalBytes > 0)
  }

  @Test func spaceBelowAFileIsAnError() throws {
    #expect(throws: FileError(.measureSpace, "/etc/passwd/x", .notDirectory)) {
      try FileSystemSpace.at("/etc/passwd/x")
    }
  }
}
