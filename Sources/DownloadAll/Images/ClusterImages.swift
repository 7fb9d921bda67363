import Bundle
import Files
import FoundationEssentials
import Host

/// The images that a running cluster uses, as kubectl tells them: those of all pods, jobs and cronjobs, and from what the
/// nodes have those that never appear as a pod's: pause, which holds every pod together, and the etcd of a host.
struct ClusterImages {
  /// What the cluster said.
  struct Found {
    /// Each image once, in order of names.
    var images: [ListedImage]
    /// What it did not say.
    var warnings: [String] = []
    /// One line about all of it.
    var summary: String
  }

  /// The last parts of repositories whose images run beside the pods.
  private static let hidden: Set<String> = ["pause", "etcd"]
  /// A cluster of thousands of pods.
  private static let outputLimit = 512 << 20

  /// A file, or several separated by colons; `nil` for kubectl's own choice.
  let kubeconfig: String?
  /// Whether kubespray's catalog is carried too, which has a pause and an etcd.
  let hasCatalog: Bool
  /// Changes to the environment of this process.
  var environment: [String: String?] = [:]

  /// Asks the cluster.
  ///
  /// - Throws: ``ClusterError`` when kubectl is missing or fails, or when there is nothing in the cluster: never an empty
  ///   list.
  func read() async throws -> Found {
    let pods = try await objects(["pods,jobs,cronjobs", "--all-namespaces"])
    let context = try? await kubectl(["config", "current-context"]).output()
    let place = context.map { "the cluster of context \($0.split(whereSeparator: \.isNewline).first ?? "")" }
    let cluster = place ?? "the cluster"
    var found = Found(images: [], summary: "")
    var origins: [ImageReference: String] = [:]
    func add(_ text: String, _ origin: String) {
      do {
        let reference = try ImageReference(text)
        origins[reference] = origins[reference] ?? origin
      } catch {
        found.warnings.append("\(origin) of \(cluster) is passed over: \(error)")
      }
    }
    for object in pods.items {
      for image in object.images { add(image, object.name) }
    }
    guard !origins.isEmpty else {
      throw ClusterError(kind: .empty, reason: "\(cluster) runs nothing")
    }
    do {
      for node in try await objects(["nodes"]).items {
        for name in Self.hiddenImages(node) { add(name, node.name) }
      }
    } catch let error as ClusterError {
      // The catalog has both; without it the list would lack what every node needs.
      guard hasCatalog else { throw error }
      found.warnings.append(
        "of pause and etcd only the images of kubespray's catalog are carried, because \(error.reason)")
    }
    if !origins.keys.contains(where: { Self.lastPart($0) == "pause" }) {
      found.warnings.append(
        "no node of \(cluster) names its pause image (kubelet names the 50 largest images only), so "
          + (hasCatalog ? "only that of kubespray's catalog is carried" : "add it to your list"))
    }
    found.images = origins.sorted { $0.key < $1.key }
      .map { ListedImage(reference: $0.key, origin: "\(cluster), \($0.value)") }
    found.summary =
      "\(cluster) runs \(counted(found.images.count, "image")) in \(counted(pods.items.count, "pod or job", "pods, jobs and cronjobs"))"
    return found
  }

  /// The names of what a node has that never runs as a pod: by tag, or by digest where there is no tag.
  private static func hiddenImages(_ node: ClusterObjects.Object) -> [String] {
    (node.status?.images ?? []).flatMap { image in
      let names = (image.names ?? []).filter { name in
        (try? ImageReference(name)).map { hidden.contains(lastPart($0)) } ?? false
      }
      let tagged = names.filter { !$0.contains("@") && !$0.hasSuffix(":<none>") }
      return tagged.isEmpty ? names.filter { $0.contains("@") } : tagged
    }
  }

  private static func lastPart(_ reference: ImageReference) -> String {
    reference.repository.split(separator: "/").last.map(String.init) ?? ""
  }

  private func objects(_ what: [String]) async throws -> ClusterObjects {
    let command = kubectl(["get"] + what + ["--output=json", "--request-timeout=60s"])
    let result: CommandResult
    do {
      result = try await command.run(outputLimit: Self.outputLimit)
      guard result.status == 0 else { throw CommandError.failed(command: "\(command)", result: result) }
    } catch CommandError.cancelled {
      throw CancellationError()
    } catch CommandError.executableNotFound {
      throw ClusterError(
        kind: .noProgram, reason: "kubectl, which asks the cluster, is not installed or not in PATH")
    } catch {
      throw ClusterError(kind: .failed, reason: "\(error)")
    }
    do {
      return try JSONDecoder().decode(ClusterObjects.self, from: Data(result.standardOutput.utf8))
    } catch {
      throw ClusterError(
        kind: .badAnswer, reason: "\(command) wrote something that is not a list of objects")
    }
  }

  private func kubectl(_ arguments: [String]) -> Command {
    guard let kubeconfig else { return Command("kubectl", arguments, environment: environment) }
    // Only the variable takes several files, and only the option complains about one that is missing.
    return kubeconfig.contains(":")
      ? Command(
        "kubectl", arguments, environment: environment.merging(["KUBECONFIG": kubeconfig]) { $1 })
      : Command("kubectl", arguments + ["--kubeconfig=\(kubeconfig)"], environment: environment)
  }
}

/// Why the images of a cluster are not known.
struct ClusterError: Error, CustomStringConvertible {
  enum Kind {
    case empty
    case noProgram
    case failed
    case badAnswer
  }

  let kind: Kind
  let reason: String

  var description: String { "the images of the cluster are not known: \(reason)" }
}
