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

  private func load(
    _ environment: [String: String]? = nil, helper: @escaping RegistryCredentials.Helper = { _, _ in (1, "") }
  ) throws -> RegistryCredentials {
    try RegistryCredentials(
      environment: environment ?? ["REGISTRY_AUTH_FILE": folder.appending("auth.json").string],
      home: folder.appending("home"), userID: 1, helper: helper)
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
    let credentials = try load([
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
    let credentials = try load(helper: { program, server in
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
    #expect(try await credentials.credential(registry: "none.io", repository: "a") == nil)
    let error = await #expect(throws: CredentialError.self) {
      try await credentials.credential(registry: "broken.io", repository: "a")
    }
    #expect(error?.description.contains("secret text") == false)
    #expect(
      calls.withLock { $0 } == [
        "docker-credential-special gcr.io", "docker-credential-all https://index.docker.io/v1/",
        "docker-credential-none none.io", "docker-credential-broken broken.io",
      ])
  }

  @Test(arguments: [
    ("not json S3CRET", "not a file of registry credentials"),
    ("{\"auths\":{\"a.io\":{\"auth\":\"S3CRET\"}}}", "base64"),
    ("{\"credHelpers\":{\"a.io\":\"../S3CRET\"}}", "cannot be that of a credential helper"),
  ])
  func `What cannot be read is named, and its content is not shown`(text: String, reason: String) async throws
  {
    try write(text)
    let error = await #expect(throws: CredentialError.self) {
      _ = try await load().credential(registry: "a.io", repository: "a")
    }
    let message = try #require(error?.description)
    #expect(message.contains(reason) && message.contains("auth.json"), "\(message)")
    if !text.contains("..") { #expect(!message.contains("S3CRET")) }
  }

  @Test func `A file that is named must be there; others need not`() throws {
    #expect(throws: CredentialError.self) { try load() }
    #expect(throws: Never.self) { try load(["XDG_RUNTIME_DIR": "/nonexistent"]) }
  }

  @Test func `A credential does not show in texts`() {
    let credential = RegistryCredential(user: "ann", password: "S3CRET")
    var dumped = ""
    dump(credential, to: &dumped)
    #expect(!"\(credential) \(String(reflecting: credential)) \(dumped)".contains("S3CRET"))
  }
}
