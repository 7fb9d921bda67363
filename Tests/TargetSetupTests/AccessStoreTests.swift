import Certificates
import Files
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

@Suite("Certificates and login of a host")
struct AccessStoreTests {
  private static let folder = FilePath("etc/kubespray-offline/access")
  private static let year: Int64 = 365 * 86_400
  private static let now: Int64 = 1_800_000_000

  private func withContext(_ body: (SetupContext) async throws -> Void) async throws {
    try await withFolder { folder in
      var context = context(root: folder.appending("root"), bundle: folder.appending("bundle"))
      context.configuration.access.tls = true
      context.configuration.access.login = true
      try await body(context)
    }
  }

  private func bytes(_ context: SetupContext, _ name: String) throws -> [UInt8] {
    try readBytes(context.host.path("/etc/kubespray-offline/access").appending(name))
  }

  @Test("what is missing is made once, and nobody but root reads what is secret")
  func made() async throws {
    try await withContext { context in
      #expect(try context.access.authority == nil)
      #expect(try context.accessStore.identity() == nil)
      try context.accessStore.prepare()
      let before = try ["ca.crt", "ca.key", "server.crt", "server.key", "login"].map {
        try bytes(context, $0)
      }
      for name in ["ca.key", "server.key", "login"] {
        #expect(try FileInfo(context.host.path(AccessStore.folder).appending(name)).mode == 0o600, "\(name)")
      }
      try context.accessStore.prepare()
      #expect(
        try ["ca.crt", "ca.key", "server.crt", "server.key", "login"].map { try bytes(context, $0) } == before
      )
      let pair = try #require(try context.accessStore.identity())
      let certificate = try Certificate(pem: pair.certificate)
      for host in ["10.0.0.5", "127.0.0.1", "::1", "localhost"] {
        #expect(certificate.isFor(host), "\(host)")
      }
      #expect(try context.access.login?.password.count == 32)
    }
  }

  @Test("a new address, a lost key and a near end make a new certificate of the same authority")
  func renewed() async throws {
    try await withContext { context in
      let store = AccessStore(context, time: Self.now)
      try store.prepare()
      let authority = try bytes(context, "ca.crt")
      var moved = context
      moved.configuration.target.address = "mirror.example.com"
      moved.configuration.access.names = ["10.9.9.9"]
      #expect(try AccessStore(moved, time: Self.now).identity() == nil)
      try AccessStore(moved, time: Self.now).prepare()
      let certificate = try Certificate(pem: try bytes(context, "server.crt"))
      #expect(certificate.isFor("mirror.example.com") && certificate.isFor("10.9.9.9"))
      for (age, isRenewed) in [(8 * Self.year, false), (9 * Self.year + 86_400, true)] {
        let old = try bytes(context, "server.crt")
        try AccessStore(moved, time: Self.now + age).prepare()
        #expect(try (bytes(context, "server.crt") != old) == isRenewed, "\(age)")
      }
      try removeFile(context.host.path(AccessStore.folder).appending("server.key"))
      try AccessStore(moved, time: Self.now).prepare()
      #expect(try AccessStore(moved, time: Self.now).identity() != nil)
      #expect(try bytes(context, "ca.crt") == authority)
    }
  }

  @Test("near the end of the authority a certificate ends with it, and is not made again in every run")
  func endOfAuthority() async throws {
    try await withContext { context in
      try AccessStore(context, time: Self.now).prepare()
      let late = AccessStore(context, time: Self.now + 30 * Self.year - 10 * 86_400)
      try late.prepare()
      let made = try bytes(context, "server.crt")
      #expect(try Certificate(pem: made).end == Self.now + 30 * Self.year)
      try late.prepare()
      #expect(try bytes(context, "server.crt") == made)
    }
  }

  @Test("an authority that lost its key is not replaced in silence")
  func damaged() async throws {
    try await withContext { context in
      try context.accessStore.prepare()
      let authority = try bytes(context, "ca.crt")
      try removeFile(context.host.path(AccessStore.folder).appending("ca.key"))
      #expect(throws: StepError.self) { try context.accessStore.renew() }
      #expect(try bytes(context, "ca.crt") == authority)
      try context.accessStore.renew(withAuthority: true)
      #expect(try bytes(context, "ca.crt") != authority)
      try put("nothing\n", at: context.host.path(AccessStore.folder).appending("login"))
      #expect(throws: StepError.self) { try context.accessStore.login() }
    }
  }

  @Test("a login without TLS is refused")
  func plainLogin() async throws {
    try await withContext { context in
      var plain = context
      plain.configuration.access.tls = false
      #expect(throws: StepError.self) { try plain.access }
      plain.configuration.access.login = false
      let access = try plain.access
      #expect(access == .plain)
    }
  }

  @Test("a certificate of one's own is checked before it is used, and what is wrong is named with its file")
  func own() async throws {
    try await withContext { context in
      let authority = try CertificateAuthority(name: "ours", end: Self.now + 2 * Self.year)
      let pair = try authority.issue(hosts: [("10.0.0.5", true)], end: Self.now + Self.year)
      let other = try authority.issue(hosts: [("10.0.0.6", true)], end: Self.now + Self.year)
      let stranger = try CertificateAuthority(name: "theirs", end: Self.now + Self.year)
      func put(_ name: String, _ bytes: [UInt8]) throws {
        try createDirectories(context.host.path("/etc/pki"))
        try writeAtomically(bytes, to: context.host.path("/etc/pki").appending(name))
      }
      var own = context
      own.configuration.access.certificate = "/etc/pki/own.crt"
      func refusal(_ context: SetupContext, at time: Int64 = Self.now) -> String? {
        do throws(StepError) {
          _ = try AccessStore(context, time: time).identity()
          return nil
        } catch {
          return error.detail
        }
      }
      #expect(refusal(own)?.contains("access.key") == true)
      own.configuration.access.key = "/etc/pki/own.key"
      #expect(refusal(own)?.contains("access.authority") == true)
      own.configuration.access.authority = "/etc/pki/own-ca.crt"
      #expect(refusal(own) == "/etc/pki/own.crt is not there")
      try put("own.crt", pair.certificate)
      try put("own.key", other.key)
      try put("own-ca.crt", stranger.pair.certificate)
      #expect(refusal(own) == "/etc/pki/own.key: the private key belongs to another certificate")
      try put("own.key", pair.key)
      #expect(refusal(own)?.hasPrefix("/etc/pki/own-ca.crt: the authority does not lead to") == true)
      try put("own-ca.crt", authority.pair.certificate)
      #expect(refusal(own) == nil)
      #expect(
        refusal(own, at: Self.now + Self.year)?.hasPrefix("/etc/pki/own.crt: the certificate has expired on")
          == true)
      own.configuration.target.address = "10.0.0.7"
      #expect(refusal(own) == "/etc/pki/own.crt: the certificate is not for 10.0.0.7, only for 10.0.0.5")
      #expect(throws: StepError.self) { try own.accessStore.renew() }
      #expect(!own.host.exists(AccessStore.folder))
      own.configuration.target.address = "10.0.0.5"
      #expect(own.addresses.localWebServer == "https://10.0.0.5")
      #expect(own.addresses.localRegistry == "https://10.0.0.5:35000")
    }
  }

  @Test("the report names certificates, addresses and ends, and nothing that is secret")
  func report() async throws {
    try await withContext { context in
      try context.accessStore.prepare()
      let report = try AccessReport(context)
      #expect(report.certificates.map(\.role) == ["servers", "authority"])
      #expect(report.warning == nil)
      #expect(report.certificates[0].names.contains("10.0.0.5"))
      #expect((3640...3650).contains(report.certificates[0].daysLeft))
      let password = try #require(try context.accessStore.login()?.password)
      #expect(!"\(report)".contains(password))
      try context.accessStore.renewLogin()
      #expect(try context.accessStore.login()?.password != password)
    }
  }
}
