import Bundle
import Integrity
import Transfer

/// Where and how registries are asked.
public struct RegistryConfiguration: Sendable {
  /// Base URLs to ask instead of a registry, by its host. `/v2/` follows the base, unless the base has a part `v2`
  /// itself: then what is behind that part stands before the repository
  /// (`https://artifactory.example/v2/docker-remote`).
  public var mirrors: [String: String] = [:]
  /// Registries that speak plain HTTP, by host and port as in references. No other one is asked without TLS.
  public var plainHTTP: Set<String> = []
  /// The longest single pause that a registry may ask for when it limits requests.
  var maximumWait: Duration = .seconds(900)
  /// How often a request is repeated that a registry's limit turned down.
  var limitRetries = 5
  /// The first pause after a refusal that names none; later ones double it.
  var limitBackoff: Duration = .seconds(2)

  /// The registries themselves, over TLS.
  public init() {}
}

/// The place where the images of one registry are asked for.
struct RegistryEndpoint: Hashable, Sendable {
  /// The host, with its port, whose credentials are used: `docker.io`, or that of a mirror.
  let host: String
  /// The URL up to `/v2`.
  let root: String
  /// What stands before each repository's name, with a slash at the end, or nothing.
  let prefix: String

  /// Finds the endpoint of a registry.
  init(registry: String, configuration: RegistryConfiguration) {
    let name = registry.lowercased()
    let api = name == ImageReference.defaultRegistry ? "registry-1.docker.io" : name
    guard let mirror = configuration.mirrors[name] ?? configuration.mirrors[api] else {
      host = name
      let isPlain = configuration.plainHTTP.contains(name) || configuration.plainHTTP.contains(registry)
      root = "\(isPlain ? "http" : "https")://\(api)/v2"
      prefix = ""
      return
    }
    var base = mirror[...]
    while base.hasSuffix("/") { base.removeLast() }
    let parts = base.split(separator: "/", omittingEmptySubsequences: false)
    host = parts.count > 2 ? String(parts[2].split(separator: "@").last ?? "").lowercased() : name
    if let mark = parts.dropFirst(3).firstIndex(of: "v2") {
      root = parts[...mark].joined(separator: "/")
      prefix = parts[(mark + 1)...].map { "\($0)/" }.joined()
    } else {
      root = base + "/v2"
      prefix = ""
    }
  }

  /// The registry that another one has redirected to.
  init(_ origin: TransferURL.Origin) {
    host = String(origin.description.dropFirst("\(origin.scheme)://".count))
    root = "\(origin)/v2"
    prefix = ""
  }

  /// Whether it is asked without TLS.
  var isPlain: Bool { root.hasPrefix("http://") }

  /// A repository's name at this place.
  func repository(of reference: ImageReference) -> String { prefix + reference.repository }

  /// The URL of a manifest, by tag or digest.
  func manifestURL(_ reference: ImageReference, _ name: String) -> String {
    "\(root)/\(repository(of: reference))/manifests/\(name)"
  }

  /// The URL of the list of what names a manifest as its subject.
  func referrersURL(_ reference: ImageReference, _ subject: Digest) -> String {
    "\(root)/\(repository(of: reference))/referrers/\(subject)"
  }

  /// The URL of a blob.
  func blobURL(_ reference: ImageReference, _ descriptor: Descriptor) -> String {
    "\(root)/\(repository(of: reference))/blobs/\(descriptor.digest)"
  }
}

extension TransferURL {
  /// Whether it is an address of a registry's API, and not one of the storage behind it.
  var isOfRegistry: Bool { path.hasPrefix("/v2/") }
}
