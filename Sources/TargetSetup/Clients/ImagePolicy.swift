import FoundationEssentials
import SystemPackage

/// What podman, skopeo, buildah and CRI-O take images of (containers-policy.json(5)).
enum ImagePolicy {
  private struct Requirement: Decodable {
    let type: String?
  }

  private struct Document: Decodable {
    let `default`: [Requirement]?
    let transports: [String: [String: [Requirement]]]?
  }

  private static let main: FilePath = "/etc/containers/policy.json"

  /// Why nothing is pulled from a registry; `nil` when images of it are taken as they are, or nothing is known.
  static func objection(to registry: String, _ host: TargetHost) -> String? {
    let user = RegistriesConfiguration.userFolder(host).appending("policy.json")
    let file = [user, main].first(where: host.exists) ?? main
    guard let bytes = (try? host.file(file)) ?? nil else { return nil }
    guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)) else {
      return
        "\(file) cannot be read as containers-policy.json(5) wants it, so podman and skopeo pull nothing: correct it"
    }
    let scopes = document.transports?["docker"] ?? [:]
    let requirements = scope(of: registry, in: scopes) ?? document.default ?? []
    let types = requirements.compactMap(\.type)
    guard let type = types.first(where: { $0 != "insecureAcceptAnything" }) else { return nil }
    let verdict =
      type == "reject" ? "refuses images of \(registry)" : "takes only signed images of \(registry) (\(type))"
    return
      "\(file) \(verdict); it is left as it is. To let podman and skopeo pull from there, write into its transports: "
      + "\"docker\": {\"\(registry)\": [{\"type\": \"insecureAcceptAnything\"}]}"
  }

  /// The requirements of the scope that counts: that of the registry, of a domain it is in, or of the transport.
  private static func scope(of registry: String, in scopes: [String: [Requirement]]) -> [Requirement]? {
    if let own = scopes[registry] { return own }
    var labels = registry.split(separator: ".", omittingEmptySubsequences: false)
    while labels.count > 1 {
      labels.removeFirst()
      if let domain = scopes["*." + labels.joined(separator: ".")] { return domain }
    }
    return scopes[""]
  }
}
