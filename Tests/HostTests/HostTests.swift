import Glibc
import SystemPackage
import Testing

@testable import Host

@Suite struct CommandLineTests {
  @Test(arguments: [
    (["ls", "-l", "/a_b.c:d=e@f%g+h,i"], "ls -l /a_b.c:d=e@f%g+h,i"),
    (["echo", "a b", "", "$HOME", "it's"], #"echo 'a b' '' '$HOME' 'it'\''s'"#),
    (["git", "clone", "https://me:pa@ss@host:8/x@y"], "git clone 'https://***@host:8/x@y'"),
    (["echo", "größe\n"], "echo 'größe\n'"),
  ])
  func isQuotedAsForAShell(_ words: [String], _ expected: String) {
    #expect(Command(words[0], Array(words.dropFirst())).description == expected)
  }

  @Test(arguments: [
    ("https://user:pass@host/a", "https://***@host/a"),
    ("see http://t0ken@h and ftp://a:b@c\r\nnext", "see http://***@h and ftp://***@c\r\nnext"),
    ("https://host/a@b?c=d@e", "https://host/a@b?c=d@e"),
    ("'https://host' x@y", "'https://host' x@y"),
    ("https://host\nuser@example.org", "https://host\nuser@example.org"),
    ("socks5h://u:p@", "socks5h://***@"),
    ("://", "://"),
    ("", ""),
  ])
  func credentialsAreHidden(_ text: String, _ expected: String) {
    #expect(hidingCredentials(text) == expected)
  }
}

@Suite struct MachineTests {
  @Test func architectureNamesAgreeWithTheKernel() async throws {
    #expect(try await Command("uname", ["-m"]).output() == Architecture.current.machineName + "\n")
  }

  @Test func privilegeDecidesOnSudo() async throws {
    let root = try await Command("id", ["-u"]).output() == "0\n"
    #expect(Privilege.isRoot == root)
    let command = Command("apt-get", ["update"], environment: ["LC_ALL": "C", "A": nil]).asRoot()
    #expect(command.description == (root ? "apt-get update" : "sudo -n env -u A LC_ALL=C apt-get update"))
  }

  @Test func executablesAreFoundInTheGivenPathOnly() {
    #expect(findExecutable("sh", path: "/no/such:/bin") == "/bin/sh")
    #expect(findExecutable("sh", path: "/no/such") == nil)
    #expect(findExecutable("sh", path: "bin::.") == nil)
    #expect(findExecutable("/bin/sh", path: "") == "/bin/sh")
    #expect(findExecutable("passwd", path: "/etc") == nil)
    #expect(findExecutable("share", path: "/usr") == nil)
    #expect(findExecutable("") == nil)
  }

  @Test func longLinesAreCut() {
    var splitter = LineSplitter()
    var lines: [Int] = []
    let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 150_000)
    bytes.withUnsafeBytes { splitter.append($0) { lines.append($0.utf8.count) } }
    splitter.flush { lines.append($0.utf8.count) }
    #expect(lines == [65_536, 65_536, 18_928])
  }
}
