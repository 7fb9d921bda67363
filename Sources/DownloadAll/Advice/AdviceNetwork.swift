import Diagnosis
import Registry
import Transfer

extension TransferError: Advised {
  var advice: String? { kind.advice }
}

extension RegistryError: Advised {
  var advice: String? {
    let login = Advice.login(registry, RegistryCredentials.variableNames(registry: registry))
    return switch kind {
    case .notFound: "Check the name and the tag."
    case .unauthorized: "Check the name. \(login)"
    case .credentialsRefused: "They may have expired. \(login)"
    case .denied: "Check the name and the rights of the account. \(login)"
    case .rateLimited: "Wait, or use a mirror (mirrors:), or log in for a higher limit. \(login)"
    case .platformMissing: "Choose another tag, or remove it from the list."
    case .unsupported: "Use another tag, or contact the image's publisher."
    case .notAnImage: "Check the name: this may be a chart or another artifact. Or remove it from the list."
    case .foreignLayer: "Such layers may not be carried; use an image without them."
    case .digestMismatch: Advice.changed
    case .badAnswer, .notServed: Advice.mirror
    case .credentials: "Correct the file of credentials, or log in again. \(login)"
    case .transfer(.plainHTTP), .insecure:
      "\(registry) does not speak TLS. If that is intended, add it to images.plain_http."
    case .diskFull, .readOnly, .pushRefused: "Contact whoever runs the registry."
    case .transfer(let kind): kind.advice
    }
  }
}

extension TransferError.Kind {
  /// The advice for a transfer that failed like this.
  fileprivate var advice: String {
    switch self {
    case .badURL: "Correct the address."
    case .nameNotResolved: "Check the name, DNS, and whether a proxy is needed (https_proxy)."
    case .connection, .stalled:
      "Check the network, firewall and proxy, then run the same command again; it resumes."
    case .tls:
      "If a company proxy re-signs TLS, name its CA file in SSL_CERT_FILE. Also check this machine's clock."
    case .plainHTTP: "The server does not speak TLS: correct the address."
    case .status(401): "The server wants credentials: put them in ~/.netrc."
    case .status(403): "The server refuses: check credentials, proxy rules and rate limits."
    case .status(404), .status(410): "Check the version; the file may have been removed upstream."
    case .status(429), .waitTooLong:
      "The server limits requests: wait, lower transfer.per_host, or use a mirror (mirrors:)."
    case .status: Advice.mirror
    case .redirect: "Check the address, or use a mirror (mirrors:)."
    case .digestMismatch, .sizeMismatch: Advice.changed
    case .protocolViolation: "Try again, or use a mirror (mirrors:)."
    case .tooLarge: "This is not the expected answer; check the address."
    case .file: Advice.folder
    case .source: "Check the file that was to be sent."
    case .notAuthorized: "Check the credentials."
    case .offline: Advice.online
    case .cancelled: Advice.again
    }
  }
}

extension CredentialError: Advised {
  var advice: String? { "Correct it, or log in again (podman login, docker login)." }
}

extension ImageArchiveError: Advised {
  var advice: String? { Advice.refetch }
}

extension PlatformError: Advised {
  var problemKind: String { "bad-platform" }
  var advice: String? { nil }
}
