import Bundle
import Console
import Registry
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
    self.init(engine: engine, configuration: registries, credentials: .none) { event in
      emit(.message(.info, "\(event)", stage: StageName.images.rawValue))
    }
  }
}
