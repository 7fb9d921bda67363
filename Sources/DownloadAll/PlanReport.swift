import Bundle
import Host
import Integrity
import Kubespray
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

  /// The kubespray version.
  public let kubespray: String
  /// The architecture of the binaries.
  public let architecture: String
  /// The files, in order of paths.
  public let artifacts: [Item]
  /// The images of the catalog, as references.
  public let images: [String]
  /// What the evaluation of the catalog had to say.
  public let warnings: [String]

  /// The sum of the known sizes, in bytes.
  public var totalSize: Int64 { artifacts.reduce(0) { $0 + ($1.size ?? 0) } }

  /// The sum of the known sizes of what is not in the bundle yet, in bytes.
  public var missingSize: Int64 { artifacts.reduce(0) { $0 + ($1.isWhole ? 0 : $1.size ?? 0) } }
}

extension Pipeline {
  /// Plans, and asks the servers for sizes.
  ///
  /// - Throws: What a stage threw while planning.
  public func report() async throws -> PlanReport {
    let planned = try await plan()
    let copies = ArtifactCopies(run: run)
    let answers = await run.remote.files(planned.compactMap(\.url))
    var items: [PlanReport.Item] = []
    for artifact in planned {
      let whole = try await copies.wholeFile(artifact)
      let size: Int64? =
        switch artifact.source {
        case .url(let url): try? answers[url]?.get().size
        case .local(let path, _): FileStatus(path)?.size
        case .generated(let bytes): Int64(bytes.count)
        case .image(let reference):
          whole == nil ? try? await run.images.resolved(reference).content.totalSize : nil
        }
      items.append(
        PlanReport.Item(
          stage: artifact.stage, path: artifact.path.description, url: artifact.recordedOrigin,
          size: whole?.size ?? size, digest: artifact.digest, verification: artifact.verification,
          isWhole: whole != nil))
    }
    let needsCatalog = run.selected.contains(.py)
    let catalog =
      needsCatalog
      ? try await run.kubespray.catalog().selecting(run.configuration.kubespray.selection).images : []
    return PlanReport(
      kubespray: needsCatalog
        ? try await run.kubespray.source().copy.version.name : run.configuration.kubespray.version,
      architecture: run.architecture.rawValue, artifacts: items.sorted { $0.path < $1.path },
      images: catalog.map(\.reference),
      warnings: needsCatalog ? try await run.kubespray.catalog().warnings : [])
  }
}
