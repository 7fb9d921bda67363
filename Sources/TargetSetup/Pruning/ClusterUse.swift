import Bundle
import Files
import FoundationEssentials
import Host
import Integrity
import Registry
import Settings
import SystemPackage

/// What a cluster runs: the images of its pods and of what would make pods, and the version of each node.
public struct ClusterUse: Sendable {
  /// The images.
  let images: [ImageUse]
  /// The version of the kubelet of each node, such as `v1.33.7`, by the node's name.
  let nodes: [String: String]

  /// What is asked for. Sets of replicas that are kept for going back run nothing.
  private static let lists = [
    "/api/v1/pods", "/apis/apps/v1/deployments", "/apis/apps/v1/daemonsets", "/apis/apps/v1/statefulsets",
    "/apis/batch/v1/cronjobs",
  ]

  /// Asks clusters one after the other; `nil` for none.
  ///
  /// - Throws: ``StepError`` when one does not answer, or its kubeconfig cannot be used.
  public static func ask(_ kubeconfigs: [FilePath], _ context: SetupContext) async throws -> ClusterUse? {
    var all: ClusterUse?
    for file in kubeconfigs {
      let one = try await ask(file, context)
      all = ClusterUse(
        images: (all?.images ?? []) + one.images, nodes: (all?.nodes ?? [:]).merging(one.nodes) { $1 })
    }
    return all
  }

  /// Asks a cluster by its own API, with `kubectl` where this host has one, or else over HTTPS.
  ///
  /// - Throws: ``StepError`` when it does not answer, or the kubeconfig cannot be used.
  static func ask(_ kubeconfig: FilePath, _ context: SetupContext) async throws -> ClusterUse {
    let host = context.host
    if host.hasProgram("kubectl") {
      return try await ask(context) { path in
        let result = try await host.run(
          Command(
            "kubectl", ["--kubeconfig", kubeconfig.string, "--request-timeout", "60s", "get", "--raw", path]))
        guard result.status == 0 else {
          throw StepError(
            "kubectl cannot ask the cluster of \(kubeconfig) for \(path): \(HostPackages.lastLines(result))",
            .clusterAccess)
        }
        return Array(result.standardOutput.utf8)
      }
    }
    let configuration = try KubeConfig(kubeconfig)
    return try await withTemporaryFolder { folder in
      let client = try ClusterClient(configuration, in: folder)
      return try await ask(context) { try await client.get($0) }
    }
  }

  /// - Parameter get: Answers a path of the API.
  static func ask(
    _ context: SetupContext, get: (String) async throws -> [UInt8]
  ) async throws -> ClusterUse {
    var images: Set<ImageUse> = []
    for list in lists {
      for item in try await items(list, get) {
        let kind = list.split(separator: "/").last.map { $0.dropLast() } ?? "object"
        let name = [item["metadata"]?["namespace"]?.text, item["metadata"]?["name"]?.text].compactMap(\.self)
        let user = "\(kind) \(name.joined(separator: "/"))"
        for text in item["spec"]?.texts(of: "image") ?? [] { images.formUnion(use(text, user, context)) }
        for key in ["image", "imageID"] {
          for text in item["status"]?.texts(of: key) ?? [] { images.formUnion(use(text, user, context)) }
        }
      }
    }
    var nodes: [String: String] = [:]
    for node in try await items("/api/v1/nodes", get) {
      let name = node["metadata"]?["name"]?.text ?? "a node"
      nodes[name] = node["status"]?["nodeInfo"]?["kubeletVersion"]?.text
      for text in pauseImages(of: node) { images.formUnion(use(text, "node \(name)", context)) }
    }
    return ClusterUse(images: images.sorted { $0.user < $1.user }, nodes: nodes)
  }

  /// The images that hold the namespaces of pods, which no pod names. What else a node has is there from earlier pods, until
  /// the kubelet collects it.
  private static func pauseImages(of node: JSONTree) -> [String] {
    let images = node["status"]?["images"]?.elements ?? []
    let names = images.flatMap { $0["names"]?.elements ?? [] }.compactMap(\.text)
    return names.filter { name in
      let repository = (try? ImageReference(name))?.repository
      return repository?.split(separator: "/").last == "pause"
    }
  }

  private static func items(_ list: String, _ get: (String) async throws -> [UInt8]) async throws
    -> [JSONTree]
  {
    var (items, mark): ([JSONTree], String) = ([], "")
    repeat {
      let bytes = try await get("\(list)?limit=200\(mark.isEmpty ? "" : "&continue=\(mark)")")
      guard let answer = try? JSONDecoder().decode(JSONTree.self, from: Data(bytes)),
        let found = answer["items"]?.elements
      else { throw StepError("the cluster's answer for \(list) is not a list", .clusterAccess) }
      items += found
      mark = answer["metadata"]?["continue"]?.text ?? ""
    } while !mark.isEmpty
    return items
  }

  /// An image as pods name it, as the registry of this host calls it.
  private static func use(_ text: String, _ user: String, _ context: SetupContext) -> [ImageUse] {
    let digest = text.firstRange(of: "sha256:").flatMap {
      try? Digest(String(text[$0.lowerBound...].prefix(71)))
    }
    guard let name = try? ImageReference(text) else {
      return digest.map { [ImageUse(repository: nil, tag: nil, digest: $0, user: user)] } ?? []
    }
    let (addresses, port) = (context.addresses, context.configuration.registry.port)
    let own = [addresses.registryHost, addresses.localRegistryHost, "localhost:\(port)"].contains(
      name.registry)
    let repository =
      own
      ? name.repository
      : ImageReference.pushRepository(
        registry: name.registry, repository: name.repository,
        strippedRegistries: context.configuration.registry.stripped)
    return [ImageUse(repository: repository, tag: name.tag, digest: digest, user: user)]
  }

  /// Refuses to drop what a node would be replaced with.
  ///
  /// - Throws: ``StepError`` that names the node and the release.
  func refuse(_ selection: PruneSelection) throws(StepError) {
    func versions(_ known: PruneSelection.Known) -> Set<String> {
      Set(
        (known.served?.files ?? [:]).keys.filter { $0.hasSuffix("/kubelet") }
          .flatMap { $0.split(separator: "/").map(String.init) })
    }
    let kept = Set(selection.kept.flatMap(versions))
    for release in selection.dropped {
      let own = versions(release).subtracting(kept)
      guard
        let (node, version) = nodes.sorted(by: { $0.key < $1.key }).first(where: { own.contains($0.value) })
      else { continue }
      throw StepError(
        "node \(node) runs Kubernetes \(version), whose files only \(release.release.text) has", .upgradeFirst
      )
    }
  }
}

/// A JSON value of which little is known.
indirect enum JSONTree: Sendable, Decodable {
  case object([String: JSONTree])
  case array([JSONTree])
  case string(String)
  case other

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let object = try? container.decode([String: JSONTree].self) {
      self = .object(object)
    } else if let array = try? container.decode([JSONTree].self) {
      self = .array(array)
    } else if let string = try? container.decode(String.self) {
      self = .string(string)
    } else {
      self = .other
    }
  }

  subscript(key: String) -> JSONTree? { if case .object(let object) = self { object[key] } else { nil } }
  var text: String? { if case .string(let text) = self { text } else { nil } }
  var elements: [JSONTree]? {
    switch self {
    case .array(let array): array
    // Go writes null for a list of nothing.
    case .other: []
    case .object, .string: nil
    }
  }

  /// The texts under a key, wherever it stands.
  func texts(of key: String) -> [String] {
    switch self {
    case .object(let object):
      object.flatMap { name, value in
        (name == key ? [value.text].compactMap(\.self) : []) + value.texts(of: key)
      }
    case .array(let array): array.flatMap { $0.texts(of: key) }
    case .string, .other: []
    }
  }
}
