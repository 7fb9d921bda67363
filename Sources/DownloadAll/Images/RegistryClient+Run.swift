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
  /// What cannot be read of these costs a warning.
  convenience init(
    _ configuration: Configuration, engine: TransferEngine, environment: [String: String],
    emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) {
    var registries = RegistryConfiguration()
    registries.mirrors = configuration.mirrors
    registries.plainHTTP = Set(configuration.images.plainHTTP)
    let credentials = RegistryCredentials.ofUser(environment) { problem in
      emit(
        .message(
          .warning, "\(problem); registries are asked without it. \(problem.advice ?? "")",
          stage: StageName.images.rawValue))
    }
    self.init(engine: engine, configuration: registries, credentials: credentials) { event in
      emit(.message(.info, "\(event)", stage: StageName.images.rawValue))
    }
  }
}

extension RegistryCredentials {
  /// The logins of the user who runs this.
  fileprivate static func ofUser(
    _ environment: [String: String], onProblem: @escaping @Sendable (CredentialError) -> Void
  ) -> RegistryCredentials {
    let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/"
    return RegistryCredentials(environment: environment, home: FilePath(home), onProblem: onProblem) {
      program, server in
      let result = try await Command(program, ["get"], input: server + "\n").run()
      return (result.status, result.standardOutput)
    }
  }
}
