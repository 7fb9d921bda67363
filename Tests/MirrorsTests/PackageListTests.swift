import Files
import Host
import Mirrors
import SystemPackage
import TestSupport
import Testing

@Suite("Package lists")
struct PackageListTests {
  @Test("Names are taken with the line that asks for them; comments and blanks are passed over")
  func names() throws {
    let wanted = try PackageList.parse(
      TypedText("# tools\ncurl\n\n  python3.11-venv # Ansible\nlibstdc++6\n"), origin: "list")
    #expect(wanted.map(\.name) == ["curl", "python3.11-venv", "libstdc++6"])
    #expect(wanted.map(\.origin) == ["list line 2", "list line 4", "list line 5"])
  }

  @Test(
    "Line ends, blanks and comments are those of any editor",
    arguments: [
      ("# tools\r\nhtop\r\nsysstat\r\n", ["htop 2", "sysstat 3"]),
      ("htop\rsysstat", ["htop 1", "sysstat 2"]),
      ("\u{feff}htop\r\n", ["htop 1"]), ("htop\tsysstat  jq # three", ["htop 1", "sysstat 1", "jq 1"]),
      ("htop#comment jq\n", ["htop 1"]), ("htop\u{a0}\n \u{a0}\n", ["htop 1"]),
    ] as [(String, [String])])
  func typed(_ text: String, _ names: [String]) throws {
    let wanted = try PackageList.parse(TypedText(text), origin: "list")
    #expect(wanted.map { "\($0.name) \($0.origin.dropFirst("list line ".count))" } == names)
  }

  @Test(
    "A release is known by its os-release file, and has lists of ours with the Python that runs Ansible",
    arguments: [
      ("ID=ubuntu\nVERSION_ID=26.04\n", "ubuntu-26.04", "ubuntu"),
      ("ID=ol\nVERSION_ID=9.6\n", "ol-9", "rhel"),
      ("ID=ol\nVERSION_ID=10.0\n", "ol-10", "rhel"), ("ID=centos\nVERSION_ID=10\n", "centos-10", "rhel"),
      ("ID=fedora\nVERSION_ID=44\n", "fedora-44", "fedora"),
      ("ID=debian\nVERSION_ID=13\n", "debian-13", "debian"),
    ])
  func releases(_ osRelease: String, _ name: String, _ folder: String) throws {
    let target = try PackageTarget(OSRelease.parse(osRelease))
    #expect(target.name == name && target.listFolder == folder)
    let lists = FilePath(#filePath).removingLastComponent().appending("../../pkglist")
    let names = Set(try PackageList.read(for: target, in: lists).map(\.name))
    let minor = try #require(target.pythonMinor)
    #expect(names.contains("python3.\(minor)") || names.contains("python3"))
  }

  @Test("A list in UTF-16 is refused by its name")
  func encoding() throws {
    try withFolder { folder in
      try createDirectories(folder.appending("debian"))
      try writeAtomically([0xff, 0xfe, 0x68, 0], to: folder.appending("debian").appending("ours.txt"))
      let error = #expect(throws: PackageListError.self) {
        try PackageList.read(for: try PackageTarget(named: "debian-12"), in: folder)
      }
      #expect("\(try #require(error))".contains("ours.txt cannot be read: it is in UTF-16"))
    }
  }

  @Test("What is no name is refused by its line", arguments: ["-o=x", "curl wget;", "a*", "../x", "é"])
  func badNames(_ name: String) {
    #expect(throws: PackageListError.self) {
      try PackageList.parse(TypedText("curl\n\(name)"), origin: "list")
    }
  }
}
