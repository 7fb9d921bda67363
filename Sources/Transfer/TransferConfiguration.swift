/// How a ``TransferEngine`` behaves towards the network.
public struct TransferConfiguration: Sendable {
  /// The most requests under way at once, over all hosts.
  public var parallel: Int = 16
  /// The most requests under way at once to one host.
  public var perHost: Int = 8
  /// How often an attempt that made no progress is repeated before a transfer fails.
  public var retries: Int = 5
  /// The longest time to wait for a connection; whole seconds count.
  public var connectTimeout: Duration = .seconds(15)
  /// After this time without a byte a transfer counts as stalled and is tried again; whole seconds count.
  public var stallTimeout: Duration = .seconds(30)
  /// The most bytes a second over all transfers; `nil` is unlimited.
  public var rateLimit: Int64?
  /// The fewest bytes a second, averaged over `paceWindow`, with which a transfer is not given up and tried again;
  /// 0 takes any.
  public var minimumRate: Int64 = 1024
  /// See ``minimumRate``.
  var paceWindow: Duration = .seconds(60)
  /// When a file is fetched over several connections.
  var pieces = PiecePolicy()
  /// The clock of the bandwidth limit.
  var now: @Sendable () -> ContinuousClock.Instant = { .now }
  /// The pause before the first retry; later ones double it up to ``maximumBackoff``, with jitter.
  public var initialBackoff: Duration = .milliseconds(500)
  /// The longest pause between two attempts that no server asked for.
  public var maximumBackoff: Duration = .seconds(30)
  /// The longest pause that a server may ask for by `Retry-After`; beyond it the transfer fails at once.
  public var maximumRetryAfter: Duration = .seconds(900)
  /// The proxy for `http://`; `nil` leaves it to libcurl, which reads `http_proxy` itself.
  public var httpProxy: String?
  /// The proxy for `https://`; `nil` leaves it to libcurl, which reads `https_proxy` itself.
  public var httpsProxy: String?
  /// Hosts that are asked directly, as in `no_proxy`; `nil` leaves it to libcurl.
  public var noProxy: String?
  /// The file of logins instead of `~/.netrc`.
  var netrcFile: String?
  /// A file of CA certificates instead of the system's.
  public var caFile: String?
  /// A folder of hashed CA certificates instead of the system's.
  public var caDirectory: String?
  /// The files (PEM) of the certificate and of the key by which this client proves who it is; `nil` when it does not.
  public var clientCertificate: (file: String, key: String)?
  /// Whether servers must prove who they are; false only where the user has said so.
  public var verifiesServers = true
  /// Whether nobody is asked: whatever is not at hand fails at once.
  public var isOffline = false
  /// What servers see as the client's name.
  public var userAgent: String = "kubespray-offline"

  /// The defaults above.
  public init() {}

  /// The fewest bytes a second of one transfer: a bandwidth limit leaves each a share of it only.
  var minimumPace: Int64 {
    guard let rateLimit else { return minimumRate }
    return min(minimumRate, rateLimit / Int64(max(1, parallel) * 2))
  }

  /// Takes the CA bundle from the variables that curl and OpenSSL programs read.
  public mutating func applyEnvironment(_ environment: [String: String]) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    caFile = value("CURL_CA_BUNDLE") ?? value("SSL_CERT_FILE") ?? caFile
    caDirectory = value("SSL_CERT_DIR") ?? caDirectory
  }

  /// Takes the certificates of this system where nothing else was said: the library may have been built on another system,
  /// whose certificates lay elsewhere.
  ///
  /// - Parameter exists: Whether there is a file at a path.
  public mutating func applySystemAuthorities(exists: (String) -> Bool) {
    guard caFile == nil, caDirectory == nil else { return }
    // Debian, the RHEL family, SUSE.
    let places = [
      "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
    ]
    caFile = places.first(where: exists)
  }
}
