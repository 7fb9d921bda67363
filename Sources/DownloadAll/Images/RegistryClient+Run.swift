import Bundle
import Console
import Host
import Registry
import Settings
import SystemPackage
import Transfer

extension RegistryClient {
  /// The client of a run: the settings' mirrors and exceptions from TLS, and the user's logins.
  ///
  /// - Throws: `RegistryError` when a file of logins cannot be read.
  convenience init(
    _ configuration: Configuration, engine: TransferEngine, environment: [String: String],
    emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) throws {
    var registries = RegistryConfiguration()
    registries.mirrors = configuration.mirrors
    registries.plainHTTP = Set(configuration.images.plainHTTP)
    self.init(engine: engine, configuration: registries, credentials: try .ofUser(environment)) { event in
      emit(.message(.info, "\(event)", stage: StageName.images.rawValue))
    }
  }
}

extension RegistryCredentials {
  /// The logins of the user who runs this.
  ///
  /// - Throws: `CredentialError` naming the file that cannot be read.
  fileprivate static func ofUser(_ environment: [String: String]) throws -> RegistryCredentials {
    let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/"
    return try RegistryCredentials(environment: environment, home: FilePath(home)) {
      program, server in
      let result = try await Command(program, ["get"], input: server + "\n").run()
      return (result.status, result.standardOutput)
    }
  }
}
