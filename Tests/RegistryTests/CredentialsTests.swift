import Files
import Foundation
import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import Registry

@Suite final class CredentialsTests {
  private let folder: FilePath

  init() throws {
    folder = try createTemporaryFolder(named: "credentials-test")
    try createDirectories(folder.appending("containers"))
  }

  deinit { try? removeTree(folder) }

  private func write(_ text: String, _ name: String = "auth.json") throws {
    try writeAtomically(text, to: folder.appending(name))
  }

  private func auth(_ text: String) -> String { "{\"auth\":\"\(Data(text.utf8).base64EncodedString())\"}" }

  private let problems = Problems()

  /// What was told.
  private final class Problems: Sendable {
    private let texts = Mutex<[String]>([])
    var all: [String] { texts.withLock { $0 } }
    func add(_ problem: CredentialError) { texts.withLock { $0.append(problem.description) } }
  }

  private func load(
    _ environment: [String: String]? = nil, helper: @escaping RegistryCredentials.Helper = { _, _ in (1, "") }
  ) -> RegistryCredentials {
    RegistryCredentials(
      environment: environment ?? ["REGISTRY_AUTH_FILE": folder.appending("auth.json").string],
      home: folder.appending("home"), userID: 1, onProblem: { [problems] in problems.add($0) }, helper: helper
    )
  }

  /// What a registry gets, when all that is wrong has been told.
  private func credential(
    _ registry: String = "a.io", helper: @escaping RegistryCredentials.Helper = { _, _ in (1, "") }
  ) async throws -> RegistryCredential? {
    let credentials = load(helper: helper)
    credentials.reportProblems()
    for _ in 0..<2 { _ = try await credentials.credential(registry: registry, repository: "team/app") }
    return try await credentials.credential(registry: registry, repository: "team/app")
  }

  @Test(
    arguments: [
      ("quay.io", "org/app", "repo"), ("quay.io", "org/other", "org"), ("quay.io", "else/app", "host"),
      ("quay.io", "organic/app", "host"), ("docker.io", "library/nginx", "hub"),
      ("localhost:5000", "a", "port"),
      ("gcr.io", "a", nil), ("empty.io", "a", nil),
    ] as [(String, String, String?)])
  func `The most specific key wins`(registry: String, repository: String, user: String?) async throws {
    try write(
      """
      {"auths": {"quay.io": \(auth("host:p")), "quay.io/org": \(auth("org:p")), "quay.io/org/app": \(auth("repo:p")),
        "https://index.docker.io/v1/": \(auth("hub:p")), "http://localhost:5000/v2/": \(auth("port:p")), "empty.io": {}}}
      """)
    let found = try await load().credential(registry: registry, repository: repository)
    #expect(found == user.map { RegistryCredential(user: $0, password: "p") })
  }

  @Test func `Variables win over files, and the runtime folder over Docker's`() async throws {
    try createDirectories(folder.appending("docker"))
    try write("{\"auths\":{\"a.io\":\(auth("file:p")),\"b.io\":\(auth("file:p"))}}", "containers/auth.json")
    try write(
      "{\"auths\":{\"b.io\":\(auth("docker:p")),\"c.io\":\(auth("docker:p:q"))}}", "docker/config.json")
    let credentials = load([
      "REGISTRY_USER_A_IO": "me", "REGISTRY_PASSWORD_A_IO": "x", "REGISTRY_USER_D_IO_5000": "half",
      "XDG_RUNTIME_DIR": folder.string, "DOCKER_CONFIG": folder.appending("docker").string,
    ])
    for (registry, user, password) in [
      ("a.io", "me", "x"), ("b.io", "file", "p"), ("c.io", "docker", "p:q"),
    ] {
      #expect(
        try await credentials.credential(registry: registry, repository: "r")
          == RegistryCredential(user: user, password: password))
    }
    let error = await #expect(throws: CredentialError.self) {
      try await credentials.credential(registry: "d.io:5000", repository: "r")
    }
    #expect(error?.description.contains("REGISTRY_PASSWORD_D_IO_5000") == true)
  }

  @Test func `Helpers are asked once for a server, under the name it has there`() async throws {
    try write(
      """
      {"auths": {"quay.io": \(auth("file:p"))}, "credsStore": "all",
       "credHelpers": {"gcr.io": "special", "broken.io": "broken", "none.io": "none"}}
      """)
    let calls = Mutex<[String]>([])
    let credentials = load(helper: { program, server in
      calls.withLock { $0.append("\(program) \(server)") }
      switch program {
      case "docker-credential-broken": return (2, "secret text")
      case "docker-credential-none": return (1, "credentials not found in native keychain\n")
      default: return (0, "{\"ServerURL\":\"\(server)\",\"Username\":\"<token>\",\"Secret\":\"t\"}")
      }
    })
    let token = RegistryCredential(identityToken: "t")
    #expect(try await credentials.credential(registry: "gcr.io", repository: "a") == token)
    #expect(try await credentials.credential(registry: "gcr.io", repository: "b") == token)
    #expect(try await credentials.credential(registry: "docker.io", repository: "a") == token)
    #expect(
      try await credentials.credential(registry: "quay.io", repository: "a")
        == RegistryCredential(user: "file", password: "p"))
    #expect(try await credentials.credential(registry: "none.io", repository: "a") == token)
    #expect(try await credentials.credential(registry: "broken.io", repository: "a") == token)
    #expect(
      problems.all.count == 1 && problems.all[0].contains("docker-credential-broken: it failed with status 2")
    )
    #expect(!problems.all[0].contains("secret text"))
    #expect(
      calls.withLock { $0 } == [
        "docker-credential-special gcr.io", "docker-credential-all https://index.docker.io/v1/",
        "docker-credential-none none.io", "docker-credential-all none.io",
        "docker-credential-broken broken.io",
        "docker-credential-all broken.io",
      ])
  }

  @Test(arguments: [
    ("not json S3CRET", "not a file of registry credentials"),
    ("[\"S3CRET\"]", "not a file of registry credentials"),
    ("{\"auths\":{\"a.io\":{\"auth\":\"S3CRET\"}}}", "base64"),
    ("{\"auths\":{\"a.io\":{\"auth\":\"UzNDUkVU\"}}}", "base64"),
    ("{\"auths\":{\"a.io\":{\"registrytoken\":\"S3CRET\"}}}", "the entry of a.io has neither"),
    ("{\"auths\":{\"a.io\":\"S3CRET\"}}", "the entry of a.io has neither"),
    ("{\"auths\":{\"a.io\":{\"username\":\"S3CRET\"}}}", "the entry of a.io has neither"),
    ("{\"credHelpers\":{\"a.io\":\"../S3CRET\"}}", "cannot be that of a credential helper"),
    ("{\"credsStore\":\"desktop.exe\"}", "docker-credential-desktop.exe: it failed"),
  ])
  func `What cannot be used is told once without its content, and nobody is stopped`(
    text: String, reason: String
  ) async throws {
    try write(text)
    #expect(try await credential() == nil)
    let message = try #require(problems.all.first)
    #expect(
      problems.all.count == 1 && message.contains(reason) && message.contains("auth.json"), "\(message)")
    if !text.contains("..") { #expect(!message.contains("S3CRET")) }
  }

  @Test func `A helper that is missing does not hide what the file has`() async throws {
    try write("{\"auths\":{\"a.io\":\(auth("u:p"))},\"credHelpers\":{\"a.io\":\"gone\"}}")
    struct Missing: Error {}
    let found = try await credential { _, _ in throw Missing() }
    #expect(found == RegistryCredential(user: "u", password: "p"))
    #expect(problems.all.count == 1 && problems.all[0].contains("docker-credential-gone: it cannot be run"))
  }

  @Test(arguments: [
    "{\"auths\":{\"a.io\":{\"username\":\"u\",\"password\":\"p\"}}}",
    "{\"auths\":{\"https://a.io/v1/\":{\"auth\":\"dTpw\",\"email\":\"x\"}}}",
    "{\"auths\":{\"http://a.io/\":{\"auth\":\"dTpwCg==\"}}}",
    "{\"auths\":{\"A.IO/v2/\":{\"auth\":\"dT\\npw\"}}}",
    "{\"auths\":{\"a.io/team\":{\"auth\":\"dTpw\"},\"a.io\":{\"auth\":\"eDp5\"}}}",
    "{\"a.io\":{\"auth\":\"dTpw\",\"email\":\"x\"}}",
    "\u{feff}{\r\n\"auths\":{\"a.io\":{\"auth\":\"dTpw\"}}}\r\n",
    "{\"auths\":{\"a.io\":{\"auth\":\"dTpw\"},\"b.io\":[1],\"c.io\":{\"auth\":5}}}",
    "{\"auths\":{\"a.io/team/app\":{},\"a.io\":{\"auth\":\"dTpw\",\"identitytoken\":\"\"}},\"HttpHeaders\":{}}",
  ])
  func `Files of every program and age`(text: String) async throws {
    try write(text)
    #expect(try await credential() == RegistryCredential(user: "u", password: "p"))
    #expect(problems.all.isEmpty, "\(problems.all)")
  }

  @Test(arguments: ["", " \r\n", "{}", "{\"auths\":{}}", "{\"auths\":null}", "{\"auths\":{\"a.io\":{}}}"])
  func `A file without logins is no login, and nothing to tell`(text: String) async throws {
    try write(text)
    #expect(try await credential() == nil)
    #expect(problems.all.isEmpty)
  }

  @Test func `A file that cannot be read is told, and so is one that is named and not there`() async throws {
    #expect(try await credential() == nil)
    #expect(problems.all == ["REGISTRY_AUTH_FILE: there is no file \(folder.appending("auth.json"))"])
    try createDirectories(folder.appending("auth.json"))
    #expect(try await credential() == nil)
    #expect(problems.all.count == 2 && problems.all[1].contains("cannot be read: Is a directory"))
    try removeTree(folder.appending("auth.json"))
    try writeAtomically([0xff, 0xfe, 0x7b, 0], to: folder.appending("auth.json"))
    #expect(try await credential() == nil)
    #expect(problems.all.count == 3 && problems.all[2].contains("not a file of registry credentials"))
    load(["XDG_RUNTIME_DIR": "/nonexistent"]).reportProblems()
    #expect(problems.all.count == 3)
  }

  @Test func `A credential does not show in texts`() {
    let credential = RegistryCredential(user: "ann", password: "S3CRET")
    var dumped = ""
    dump(credential, to: &dumped)
    #expect(!"\(credential) \(String(reflecting: credential)) \(dumped)".contains("S3CRET"))
  }
}
