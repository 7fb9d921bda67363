import Mirrors
import Testing

@Suite("Package lists")
struct PackageListTests {
  @Test("Names are taken with the line that asks for them; comments and blanks are passed over")
  func names() throws {
    let wanted = try PackageList.parse(
      "# tools\ncurl\n\n  python3.11-venv # Ansible\nlibstdc++6\n", origin: "list")
    #expect(wanted.map(\.name) == ["curl", "python3.11-venv", "libstdc++6"])
    #expect(wanted.map(\.origin) == ["list line 2", "list line 4", "list line 5"])
  }

  @Test("What is no name is refused by its line", arguments: ["-o=x", "curl wget;", "a*", "../x", "é"])
  func badNames(_ name: String) {
    #expect(throws: PackageListError.self) { try PackageList.parse("curl\n\(name)", origin: "list") }
  }
}
