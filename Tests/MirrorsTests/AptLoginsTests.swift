import Files
import SystemPackage
import TestSupport
import Testing

@testable import Mirrors

/// The logins of apt_auth.conf(5), for what is fetched without apt.
@Suite struct AptLoginsTests {
  private static let text = """
    # machine commented.example login x password y
    machine example.org/debian login apt password debian
    machine example.org
      login o"ne
      password #p@ss:/w%rd
    machine http://plain.example:8080/repo/
    login user password word
    machine other.example login a account ignored password b
    default login nobody password nothing
    machine EXAMPLE.net login late password
    """

  @Test(arguments: [
    ("https://example.org/debian/pool/a.deb", "https://apt:debian@example.org/debian/pool/a.deb"),
    // The manual's own example: a path is a beginning, and no folder.
    ("https://example.org/debian-security/a.deb", "https://apt:debian@example.org/debian-security/a.deb"),
    ("https://example.org/ubuntu/a.deb", "https://o%22ne:%23p%40ss%3A%2Fw%25rd@example.org/ubuntu/a.deb"),
    // An entry without a port is for every port, and one without a protocol for https alone.
    ("https://example.org:8443/x", "https://o%22ne:%23p%40ss%3A%2Fw%25rd@example.org:8443/x"),
    ("http://example.org/debian/a.deb", "http://example.org/debian/a.deb"),
    ("http://plain.example:8080/repo/a.deb", "http://user:word@plain.example:8080/repo/a.deb"),
    ("http://plain.example:8080/repository/a.deb", "http://plain.example:8080/repository/a.deb"),
    ("http://plain.example/repo/a.deb", "http://plain.example/repo/a.deb"),
    ("https://other.example/x", "https://a:b@other.example/x"),
    ("https://own:login@other.example/x", "https://own:login@other.example/x"),
    ("https://commented.example/x", "https://commented.example/x"),
    ("https://nobody.example/x", "https://nobody.example/x"), ("file:/srv/a.deb", "file:/srv/a.deb"),
    ("https://example.net/x", "https://late:@example.net/x"),
  ])
  func added(_ url: String, _ expected: String) {
    #expect(AptLogins(Self.text).adding(to: url) == expected)
  }

  @Test func filesOfAHost() throws {
    let folder = try TemporaryFolder()
    try put("machine one.example login a password 1\r\n", at: folder.path.appending("auth.conf"))
    let parts = folder.path.appending("auth.conf.d")
    try put("machine two.example login b password 2\n", at: parts.appending("two.conf"))
    try put("machine three.example login c password 3\n", at: parts.appending("three.conf.bak"))
    let logins = AptLogins(folder.path)
    #expect(logins.adding(to: "https://one.example/") == "https://a:1@one.example/")
    #expect(logins.adding(to: "https://two.example/") == "https://b:2@two.example/")
    #expect(logins.adding(to: "https://three.example/") == "https://three.example/")
  }
}
