import Files
import Foundation
import Host
import Integrity
import SystemPackage
import Testing

@testable import Kubespray

/// Our id of a tree of files beside that of git itself.
@Suite("Id of a tree of files", .enabled(if: findExecutable("git") != nil, "git is needed"))
struct GitTreeTests {
  /// As SECURITY.md tells people to compute it.
  private func gitID(_ folder: FilePath) async throws -> String {
    let environment: [String: String?] = [
      "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_DIR": nil, "GIT_WORK_TREE": nil,
    ]
    var text = ""
    for arguments in [
      ["init", "--quiet", "--object-format=sha256"],
      ["-c", "core.autocrlf=false", "add", "--all", "--force"],
      ["write-tree"],
    ] {
      text = try await Command("git", ["-C", folder.string] + arguments, environment: environment).output()
    }
    try removeTree(folder.appending(".git"))
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test("it is git's, for programs, links, empty folders and files, and names that sort otherwise")
  func sameAsGit() async throws {
    try await withTemporaryFolder { folder in
      let tree = folder.appending("tree")
      for (name, text) in [
        ("a/b", "1"), ("a.b", "2"), ("a-b", "3"), ("a0", "4"), (".gitignore", "ignored\n"), ("ignored", "5"),
        ("empty", ""), ("lines", "one\r\ntwo\r\n"), ("\u{e4}\u{1F600}", "6"), ("deep/er/file", "7"),
        (".gitattributes", "doc.md linguist-generated=true\n"),
      ] {
        let path = tree.pushing(FilePath(name))
        try createDirectories(path.removingLastComponent())
        try writeAtomically(text, to: path)
      }
      try createDirectories(tree.appending("nothing/at/all"))
      try createLink(tree.appending("link"), to: "a/b")
      try createLink(tree.appending("broken"), to: "../nowhere")
      try setPermissions([.ownerReadWriteExecute, .groupRead], of: tree.appending("a0"))
      let id = try GitTree.id(of: tree)
      #expect(try await gitID(tree) == id.hex)
      try setPermissions([.ownerReadWrite], of: tree.appending("a0"))
      #expect(try GitTree.id(of: tree) != id)
      try removeTree(tree.appending("nothing"))
      try setPermissions([.ownerReadWriteExecute], of: tree.appending("a0"))
      #expect(try GitTree.id(of: tree) == id)
    }
  }

  @Test("the small kubespray of these tests has the id that git gives to it")
  func miniature() async throws {
    try await withTemporaryFolder { folder in
      let copy = folder.appending("copy")
      try FileManager.default.copyItem(atPath: miniTree.string, toPath: copy.string)
      #expect(try await gitID(copy) == GitTree.id(of: copy).hex)
    }
  }
}
