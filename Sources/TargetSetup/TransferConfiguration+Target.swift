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
    // The library was built on another system, whose certificates lay elsewhere.
    let bundles = [
      "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
    ]
    caFile = caFile ?? bundles.first { exists(FilePath($0)) }
    if let file = options.certificateAuthority { caFile = file.string }
    verifiesServers = !options.isInsecure
  }
}
