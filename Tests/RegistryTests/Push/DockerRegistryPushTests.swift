import Bundle
import Foundation
import Host
import Integrity
import SystemPackage
import TestRegistry
import Testing

@testable import Registry

@Suite(
  .timeLimit(.minutes(5)),
  .enabled(
    if: DockerRegistry.isInstalled && findExecutable("skopeo") != nil,
    "docker-registry and skopeo are not installed (scripts/install-dependencies test)"))
struct DockerRegistryPushTests {
  private func skopeo(_ arguments: String...) async throws -> String {
    try await Command("skopeo", arguments).output()
  }

  @Test func `Images arrive with their digests, and a second push sends nothing`() async throws {
    let fixture = try PushFixture()
    let registry = try DockerRegistry()
    defer { registry.remove() }
    let docker = PushFixture.image([3_000_000, 70_000], type: .dockerManifest)
    let oci = PushFixture.image([3_000_000, 500], seed: 1)
    let arm = PushFixture.image([40_000], seed: 9, architecture: "arm64")
    let archives = [
      try fixture.archive("nginx:1", docker), try fixture.archive("quay.io/team/app:2", oci),
      try fixture.archive("mcr.microsoft.com/oss/both:3", oci, arm),
    ]
    try await registry.serving { host in
      let first = try await fixture.push(to: host).push(archives)
      #expect(first.map(\.outcome) == Array(repeating: .pushed(replaced: nil), count: 3), "\(first)")
      #expect(
        first.map(\.destination) == [
          "\(host)/library/nginx:1", "\(host)/team/app:2", "\(host)/mcr.microsoft.com/oss/both:3",
        ])
      for result in first {
        let name = "docker://\(try #require(result.destination))"
        let raw = try await skopeo("inspect", "--raw", "--tls-verify=false", name)
        #expect(Digest(of: Array(raw.utf8)) == result.digest)
        _ = try await skopeo(
          "copy", "-q", "--all", "--src-tls-verify=false", name, "dir:\(fixture.folder)/copy")
      }
      let second = try await fixture.push(to: host).push(archives)
      #expect(second.map(\.outcome) == [.present, .present, .present])
      #expect(second.map(\.bytesSent) == [0, 0, 0])
    }
  }
}
