import Bundle
import Console
import Files
import Host
import Integrity
import Kubespray
import Settings
import Transfer

/// What a run would do: every file, from where, how large, and how it will be proved. Nothing is written.
public struct PlanReport: Sendable, Encodable {
  /// One file of the plan.
  public struct Item: Sendable, Encodable {
    /// The stage that wants it.
    public let stage: StageName
    /// Its place in `outputs/`.
    public let path: String
    /// Where it comes from; absent for what this program writes.
    public let url: String?
    /// Its size in bytes, where the server tells it.
    public let size: Int64?
    /// Its published digest.
    public let digest: Digest?
    /// Who vouches for it.
    public let verification: Verification
    /// Whether it is in the bundle already.
    public let isWhole: Bool
    /// Whether the bundle has another file in its place.
    public var isChanged = false
  }

  /// A stage that could not say what it wants.
  public struct Unplanned: Sendable, Encodable {
    /// The stage.
    public let stage: StageName
    /// Why, and what to do.
    public let problem: Problem
    /// Whether it is so because of another stage, which reports its own reason.
    public let isConsequence: Bool

    /// Encodes the problem in its parts, and as the sentence that people read.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(stage, forKey: .stage)
      try container.encode(problem.sentence, forKey: .reason)
      try container.encode(problem, forKey: .problem)
      try container.encode(isConsequence, forKey: .isConsequence)
    }

    private enum Key: String, CodingKey {
      case stage, reason, problem, isConsequence
    }
  }

  /// The packages that a run would install on this machine first.
  public let install: [String]
  /// The stages that could not say what they want: the plan lacks them.
  public let unplanned: [Unplanned]
  /// The kubespray version.
  public let kubespray: String
  /// The architecture of the binaries; of several, the main one.
  public let architecture: String
  /// The platforms of the target machines, `linux/amd64`, the main one first.
  public let platforms: [String]
  /// The files, in order of paths.
  public let artifacts: [Item]
  /// The images of the catalog, as references.
  public let images: [String]
  /// What the evaluation of the catalog had to say, and what stages warn of.
  public let warnings: [String]
  /// The fingerprint of the key that will sign the bundle; absent when none is set.
  public var signer: String?
  /// The files of the bundle that a run will remove, by stage, as far as that is known before it.
  public var removed: [Removed] = []

  /// A file that goes away.
  public struct Removed: Sendable, Encodable {
    /// The stage that has brought it.
    public let stage: StageName
    /// Its place in `outputs/`.
    public let path: String
  }

  /// The sum of the known sizes, in bytes.
  public var totalSize: Int64 { artifacts.byteSum { $0.size ?? 0 } }

  /// The sum of the known sizes of what is not in the bundle yet, in bytes.
  public var missingSize: Int64 { artifacts.byteSum { $0.isWhole ? 0 : $0.size ?? 0 } }
}
extension PlanReport {
  /// What this plan has and no other one of these, in words: `14 files, 31 images, 890 MB`. What this program writes, such as
  /// lists and indexes, does not count.
  public func addition(to others: [PlanReport]) -> String {
    let known = Set(others.flatMap(\.artifacts).map { "\($0.path) \($0.url ?? "")" })
    let new = artifacts.filter { $0.url != nil && !known.contains("\($0.path) \($0.url ?? "")") }
    let images = new.count { $0.stage == .images }
    let unknown = new.count { $0.size == nil }
    return counted(new.count - images, "file") + ", " + counted(images, "image") + ", "
      + ByteCount.format(new.byteSum { $0.size ?? 0 })
      + (unknown > 0 ? " and \(unknown) of a size that is not known" : "")
  }
}
