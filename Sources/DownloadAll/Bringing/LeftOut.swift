import Bundle
import Files
import Registry
import Transfer

/// What a bundle does without, because it could not be had and nothing that was asked for needs it.
struct LeftOut: Sendable {
  private struct Host: Sendable {
    var reason: String
    var files = 0
    var purposes: Set<String> = []
  }

  private(set) var artifacts: [Artifact] = []
  private var hosts: [String: Host] = [:]

  var isEmpty: Bool { artifacts.isEmpty }

  /// Notes an artifact.
  ///
  /// - Parameters:
  ///   - host: Where it was to come from.
  ///   - reason: Why it did not.
  mutating func add(_ artifact: Artifact, host: String, reason: String) {
    artifacts.append(artifact)
    hosts[host, default: Host(reason: reason)].files += 1
    if let purpose = artifact.purpose { hosts[host]?.purposes.insert(purpose) }
  }

  /// Notes an artifact that failed; `false` when that is a reason to worry: the disk, or bytes that are not the right ones.
  mutating func add(_ artifact: Artifact, after error: any Error) -> Bool {
    guard artifact.purpose != nil else { return false }
    switch (error as? ListedImageError)?.error ?? error {
    case let error as TransferError where error.kind.isAboutAvailability:
      add(artifact, host: Self.host(of: error.url), reason: error.detail)
    case let error as RegistryError where error.kind.isAboutAvailability:
      add(artifact, host: error.registry, reason: error.detail)
    default: return false
    }
    return true
  }

  /// One sentence for each host, with what its files would have been for.
  var warnings: [String] {
    hosts.sorted { $0.key < $1.key }.map { name, host in
      "\(name): \(host.reason). Left out, since nothing that was asked for needs it: \(counted(host.files, "file")) for "
        + "\(host.purposes.sorted().joined(separator: ", ")). With --strict this is an error."
    }
  }

  /// The lines of a list but those of what is left out.
  func filter(_ list: [UInt8]) -> [UInt8] {
    let names = Set(
      artifacts.flatMap { [$0.pulledImage?.description, $0.recordedOrigin].compactMap(\.self) })
    let lines = String(decoding: list, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    return Array(lines.filter { !names.contains(String($0)) }.joined(separator: "\n").utf8)
  }

  private static func host(of url: String) -> String { (try? TransferURL(url))?.origin.description ?? url }
}

extension Artifact {
  /// Whether it is a list of what other artifacts of its stage are.
  var isList: Bool { ["files/files.list", "images/images.list"].contains(path.description) }
}

extension TransferError.Kind {
  /// Whether somebody says no or says nothing, rather than that something is wrong with the bytes or the disk.
  var isAboutAvailability: Bool {
    switch self {
    case .badURL, .nameNotResolved, .connection, .stalled, .tls, .plainHTTP, .status, .waitTooLong, .redirect,
      .notAuthorized:
      true
    default: false
    }
  }
}

extension RegistryError.Kind {
  /// Whether a registry says no or says nothing, or has nothing that could be carried.
  var isAboutAvailability: Bool {
    switch self {
    case .notFound, .unauthorized, .credentialsRefused, .denied, .rateLimited, .platformMissing, .unsupported,
      .notAnImage, .foreignLayer, .badAnswer:
      true
    case .transfer(let kind): kind.isAboutAvailability
    default: false
    }
  }
}
