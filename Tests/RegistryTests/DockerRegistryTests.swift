import Bundle
import Integrity
import SystemPackage
import TestRegistry
import TestServer
import Testing
import Transfer

@testable import Registry

@Suite(
  .timeLimit(.minutes(10)),
  .enabled(
    if: DockerRegistry.isInstalled, "docker-registry is not installed (scripts/install-dependencies test)"))
struct DockerRegistryTests {
  private func client(_ configuration: RegistryConfiguration, _ variables: [String: String] = [:]) throws
    -> RegistryClient
  {
    let credentials = RegistryCredentials(
      environment: variables, home: "/nonexistent", userID: 0, helper: { _, _ in (1, "") })
    return RegistryClient(
      engine: try RegistryFixture.engine(), configuration: configuration, credentials: credentials)
  }

  @Test func `An image is resolved and its layers arrive`() async throws {
    let registry = try DockerRegistry()
    defer { registry.remove() }
    let layer = TestImage.Blob(TestServer.Body.pattern(count: 3_000_000).bytes, .dockerLayer)
    let image = TestImage(layers: [layer], type: .dockerManifest)
    try registry.put(image, in: "team/app", tag: "1")
    try await registry.serving { host in
      var configuration = RegistryConfiguration()
      configuration.plainHTTP = [host]
      let client = try client(configuration)
      let reference = try ImageReference("\(host)/team/app:1")
      let resolved = try await ImageResolver(client).resolve(
        reference, platforms: [Platform(architecture: "amd64")])
      #expect(resolved.root.descriptor.digest == image.manifest.descriptor.digest)
      #expect(resolved.blobs == [image.config.descriptor, layer.descriptor])
      let file = registry.folder.appending("blob")
      try await client.download(layer.descriptor, of: reference, to: file)
      #expect(try Digest(ofFile: file) == layer.descriptor.digest)

      let missing = try ImageReference("\(host)/team/app:2")
      let error = try #require(
        await #expect(throws: RegistryError.self) { try await client.manifest(missing) })
      #expect(error.description.contains("not found in the registry (404 MANIFEST_UNKNOWN)"))
    }
  }

  @Test func `A registry with passwords`() async throws {
    let registry = try DockerRegistry()
    defer { registry.remove() }
    let image = TestImage()
    try registry.put(image, in: "app", tag: "1")
    // The bcrypt hash of "right".
    let passwords = "ann:$2y$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC"
    try await registry.serving(passwords: passwords) { host in
      var configuration = RegistryConfiguration()
      configuration.plainHTTP = [host]
      let reference = try ImageReference("\(host)/app:1")
      let names = RegistryCredentials.variableNames(registry: host)
      let right = try client(configuration, [names.user: "ann", names.password: "right"])
      #expect(try await right.manifest(reference).bytes == image.manifest.bytes)
      let wrong = try client(configuration, [names.user: "ann", names.password: "wrong"])
      let error = await #expect(throws: RegistryError.self) { try await wrong.manifest(reference) }
      #expect(error?.kind == .credentialsRefused)
    }
  }

  @Test func `A registry without TLS that is not configured so is not asked`() async throws {
    let registry = try DockerRegistry()
    defer { registry.remove() }
    try await registry.serving { host in
      let client = try client(RegistryConfiguration())
      let error = await #expect(throws: RegistryError.self) {
        try await client.manifest(try ImageReference("\(host)/app:1"))
      }
      #expect(error?.kind == .transfer(.plainHTTP), "\(String(describing: error))")
    }
  }
}
