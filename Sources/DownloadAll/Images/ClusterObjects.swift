/// What the images stage reads of a list of Kubernetes objects (API reference: Pod, Job and CronJob of `core/v1` and
/// `batch/v1`, Node of `core/v1`).
struct ClusterObjects: Decodable {
  let items: [Object]

  /// A pod, a job, a cronjob or a node.
  struct Object: Decodable {
    let kind: String?
    let metadata: Metadata
    let spec: Spec?
    let status: Status?

    /// `pod kube-system/coredns-1`.
    var name: String {
      let place = metadata.namespace.map { "\($0)/" } ?? ""
      return "\(kind?.lowercased() ?? "object") \(place)\(metadata.name)"
    }

    /// The images that it runs, or would run; an empty name, which a template may have, is none.
    var images: [String] {
      guard let spec else { return [] }
      let pods = [spec.pod, spec.template?.spec, spec.jobTemplate?.spec?.template?.spec]
      return pods.compactMap { $0?.images }.flatMap { $0 }.filter { !$0.isEmpty }
    }
  }

  struct Metadata: Decodable {
    let name: String
    let namespace: String?
  }

  /// The parts of all kinds' specifications: those of a pod stand at the top, those of the others in templates.
  struct Spec: Decodable {
    let pod: PodSpec
    let template: PodTemplate?
    let jobTemplate: JobTemplate?

    init(from decoder: any Decoder) throws {
      pod = try PodSpec(from: decoder)
      let container = try decoder.container(keyedBy: Key.self)
      template = try container.decodeIfPresent(PodTemplate.self, forKey: .template)
      jobTemplate = try container.decodeIfPresent(JobTemplate.self, forKey: .jobTemplate)
    }

    private enum Key: String, CodingKey { case template, jobTemplate }
  }

  struct PodTemplate: Decodable {
    let spec: PodSpec?
  }

  struct JobTemplate: Decodable {
    struct JobSpec: Decodable { let template: PodTemplate? }
    let spec: JobSpec?
  }

  struct PodSpec: Decodable {
    struct Container: Decodable { let image: String? }
    struct Volume: Decodable {
      struct Image: Decodable { let reference: String? }
      let image: Image?
    }

    let containers: [Container]?
    let initContainers: [Container]?
    let ephemeralContainers: [Container]?
    let volumes: [Volume]?

    /// Of all containers, and those that are mounted.
    var images: [String] {
      let all = [initContainers, containers, ephemeralContainers].compactMap { $0 }.flatMap { $0 }
      return all.compactMap(\.image) + (volumes ?? []).compactMap(\.image?.reference)
    }
  }

  struct Status: Decodable {
    struct Image: Decodable { let names: [String]? }
    /// Of a node: images that it has.
    let images: [Image]?
  }
}
