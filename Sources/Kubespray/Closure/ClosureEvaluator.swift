import Bundle
import Host
import SystemPackage

/// Lets Ansible evaluate what a cluster will ask for with a bundle's offline.yml in its inventory.
public struct ClosureEvaluator: Sendable {
  /// How the catalog of the same tree, inventory and architecture is evaluated.
  private let evaluator: CatalogEvaluator
  private let offline: String

  /// Describes an evaluation; nothing runs yet.
  ///
  /// - Parameters:
  ///   - evaluator: The tree, the inventory, the extra variables and the architecture.
  ///   - offline: The text of offline.yml, in which the address of the admin host is filled in.
  public init(_ evaluator: CatalogEvaluator, offline: String) {
    self.evaluator = evaluator
    self.offline = offline
  }

  /// The evaluation.
  ///
  /// - Throws: ``CatalogError``, ``KubesprayTreeError``, `CommandError` or `FileError`.
  public func evaluate() async throws -> ClusterDemand {
    let tree = evaluator.workingCopy.tree
    let questions = EvaluationQuestions(
      images: tree.roleImages(), charts: tree.roleCharts(), settings: ClosureSetting.all(in: tree),
      offline: offline)
    let turn = try await evaluator.turn()
    defer { withExtendedLifetime(turn) {} }
    var run = try EvaluationRun(evaluator, questions)
    defer { run.remove() }
    let evaluations = try evaluator.ofItsArchitecture(try await run.execute())
    let assembly = CatalogAssembly(
      evaluations: evaluations, usesInventory: evaluator.inventory != nil, officialFiles: [],
      officialImages: [], roleImages: questions.images, roleCharts: questions.charts)
    var catalog = try CatalogAssembly.assemble(assembly, architecture: evaluator.architecture.rawValue)
    for image in assembly.members.flatMap({ ClusterDemand.kubeadmImages($0.settings) })
    where !catalog.images.contains(where: { $0.reference == image.reference }) {
      catalog.images.append(image)
    }
    for index in catalog.charts.indices where catalog.charts[index].hasOwnImages {
      catalog.charts[index].origin = "cilium_install_extra_flags"
      let flags = assembly.members.lazy.compactMap { ClusterDemand.ciliumFlags($0.settings) }.first
      if let repository = flags?.repository { catalog.charts[index].repository = repository }
      // A folder with the chart on the node itself: nothing is asked for.
      if flags?.hasOwnChart == true { catalog.charts[index].isEnabled = false }
    }
    return ClusterDemand(catalog, assembly.members)
  }
}
