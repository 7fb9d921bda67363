import Bundle
import Console
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

  /// The sum of the known sizes, in bytes.
  public var totalSize: Int64 { artifacts.byteSum { $0.size ?? 0 } }

  /// The sum of the known sizes of what is not in the bundle yet, in bytes.
  public var missingSize: Int64 { artifacts.byteSum { $0.isWhole ? 0 : $0.size ?? 0 } }
}

extension PlanReport {
  /// One line of the plan for people: a file, or all the packages of one repository.
  public struct Row: Sendable, Equatable {
    /// The path of the file, or the folder with what it holds.
    public let path: String
    /// The known bytes; `nil` when nothing is known.
    public let size: Int64?
    /// Who vouches for them.
    public let verification: String
    /// `intact`, `missing`, or how many are missing.
    public let state: String
    /// Where they come from.
    public let origin: String
  }

  /// The plan for people, in order of paths: what a package repository holds is one line.
  public var rows: [Row] {
    var groups: [String: [Item]] = [:]
    for item in artifacts { groups[group(of: item) ?? item.path, default: []].append(item) }
    return groups.sorted { $0.key < $1.key }.map { name, items in
      guard let folder = items.first.flatMap(group) else { return items.map(row)[0] }
      let missing = items.filter { !$0.isWhole }.count
      let sizes = items.compactMap(\.size)
      let hosts = Set(items.compactMap { $0.url.map(host) }).sorted()
      return Row(
        path: "\(folder)/: \(items.count) packages", size: sizes.isEmpty ? nil : sizes.byteSum(of: \.self),
        verification: Set(items.map(\.verification.summary)).sorted().joined(separator: ", "),
        state: missing == 0 ? "intact" : missing == items.count ? "missing" : "\(missing) missing",
        origin: hosts.isEmpty ? "-" : hosts.joined(separator: ", "))
    }
  }

  /// The plan for people, file by file.
  public var fileRows: [Row] { artifacts.map(row) }

  private func row(_ item: Item) -> Row {
    Row(
      path: item.path, size: item.size, verification: item.verification.summary,
      state: item.isWhole ? "intact" : "missing", origin: item.url ?? "-")
  }

  /// The folder of the package repository that a file belongs to.
  private func group(of item: Item) -> String? {
    let segments = item.path.split(separator: "/")
    switch item.stage {
    case .repo where segments.count > 2: return segments.prefix(2).joined(separator: "/")
    case .pypi where segments.count > 1: return segments.prefix(1).joined(separator: "/")
    default: return nil
    }
  }

  private func host(_ url: String) -> String {
    (url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]).prefix { $0 != "/" }
      .split(separator: "@").last.map(String.init) ?? url
  }
}

extension PlanReport {
  /// What this plan has and no other one of these, in words: `14 files, 31 images, 890 MB`. What this program writes, such as
  /// lists and indexes, does not count.
  public func addition(to others: [PlanReport]) -> String {
    let known = Set(others.flatMap(\.artifacts).map { "\($0.path) \($0.url ?? "")" })
    let new = artifacts.filter { $0.url != nil && !known.contains("\($0.path) \($0.url ?? "")") }
    let images = new.count { $0.stage == .images }
    let unknown = new.count { $0.size == nil }
    func counted(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }
    return counted(new.count - images, "file") + ", " + counted(images, "image") + ", "
      + ByteCount.format(new.byteSum { $0.size ?? 0 })
      + (unknown > 0 ? " and \(unknown) of a size that is not known" : "")
  }
}
