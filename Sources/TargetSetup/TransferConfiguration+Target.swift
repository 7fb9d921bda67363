import Bundle
import SystemPackage
import Transfer

extension TransferConfiguration {
  /// How servers are spoken to from a target.
  ///
  /// - Parameters:
  ///   - environment: The process's environment, which may name CA certificates.
  ///   - options: What was asked for at the command line.
  ///   - exists: Whether there is a file on the host.
  init(environment: [String: String], options: PushOptions, exists: (FilePath) -> Bool) {
    self.init()
    userAgent = programUserAgent
    applyEnvironment(environment)
    applySystemAuthorities { exists(FilePath($0)) }
    if let file = options.certificateAuthority { caFile = file.string }
    verifiesServers = !options.isInsecure
  }
}
