import Bundle
import Files
import Synchronization
import SystemPackage
import TestRegistry
import TestServer
import Transfer

@testable import Registry

/// A registry, a folder of its own and clients that do not dawdle, for one test.
final class RegistryFixture: Sendable {
  let registry: TestRegistry
  let folder: FilePath
  private let events = Mutex<[RegistryEvent]>([])

  init(_ access: TestRegistry.Access = .open) throws {
    registry = try TestRegistry(access: access)
    folder = try createTemporaryFolder(named: "registry-test")
  }

  deinit { try? removeTree(folder) }

  var server: TestServer { registry.server }
  var blobFile: FilePath { folder.appending("blob") }
  var recordedEvents: [RegistryEvent] { events.withLock { $0 } }

  /// The bytes at the blob's final name.
  var blobContent: [UInt8]? { try? readBytes(blobFile) }

  func reference(_ name: String = "app:1") throws -> ImageReference {
    try ImageReference("\(registry.host)/\(name)")
  }

  static func engine() throws -> TransferEngine {
    var configuration = TransferConfiguration()
    configuration.initialBackoff = .milliseconds(1)
    configuration.maximumBackoff = .milliseconds(5)
    configuration.retries = 2
    configuration.noProxy = "*"
    return try TransferEngine(configuration)
  }

  /// A client that may speak to the fixture's registry without TLS.
  func client(
    credentials: [String: String] = [:],
    _ change: (inout RegistryConfiguration) -> Void = { _ in },
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) throws -> RegistryClient {
    var configuration = RegistryConfiguration()
    configuration.plainHTTP = [registry.host]
    configuration.limitBackoff = .milliseconds(1)
    configuration.limitRetries = 2
    change(&configuration)
    let engine = try Self.engine()
    let found = RegistryCredentials(
      environment: credentials.merging(["XDG_RUNTIME_DIR": folder.string]) { first, _ in first },
      home: folder,
      userID: 0, helper: { _, _ in (1, "") })
    return RegistryClient(
      engine: engine, configuration: configuration,
      authentication: RegistryAuthentication(engine: engine, credentials: found, now: now),
      onEvent: { event in self.events.withLock { $0.append(event) } })
  }

  /// The variables that hold the credentials of the fixture's registry.
  func variables(user: String, password: String) -> [String: String] {
    let names = RegistryCredentials.variableNames(registry: registry.host)
    return [names.user: user, names.password: password]
  }
}
