import Cache
import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// Evaluates what a kubespray tree needs, by the only true evaluator of its variables, Ansible.
///
/// One Ansible process runs a playbook of ours, which writes down `downloads` and what the official lists
/// miss, and then the tree's own contrib/offline/generate_list.sh; see ``CatalogAssembly`` for how the two
/// are joined. The result is kept as JSON in the cache until anything that it depends on changes.
public struct CatalogEvaluator: Sendable {
  /// The patched working copy; the official script writes its lists into it.
  public let workingCopy: WorkingCopy
  /// Where Ansible is.
  public let environment: PythonEnvironment
  /// The architecture of the cluster's nodes.
  public let architecture: Architecture
  /// The user's inventory, a file or a folder; nil evaluates kubespray's defaults.
  public let inventory: FilePath?
  /// Variables that override everything, as `ansible-playbook -e` does. A value that is JSON `true`, `false`,
  /// a list or an object is taken as such, anything else as text (so that version 1.30 stays 1.30).
  public let extraVariables: [String: String]
  /// Further files of such variables (`-e @FILE`), absolute.
  public let extraVariableFiles: [FilePath]
  /// What the nodes may run: the packages of these releases are in the catalog.
  public let releases: [NodeRelease]
  /// Where the result is kept.
  public let cache: Cache

  /// Describes an evaluation; nothing runs yet.
  public init(
    workingCopy: WorkingCopy, environment: PythonEnvironment, architecture: Architecture,
    inventory: FilePath? = nil, extraVariables: [String: String] = [:],
    extraVariableFiles: [FilePath] = [], releases: [NodeRelease] = [], cache: Cache
  ) {
    self.workingCopy = workingCopy
    self.environment = environment
    self.architecture = architecture
    self.inventory = inventory
    self.extraVariables = extraVariables
    self.extraVariableFiles = extraVariableFiles
    self.releases = releases
    self.cache = cache
  }

  /// What an evaluation depends on, as one digest: the tree, the inventory, the variables, Ansible.
  ///
  /// - Throws: `FileError` when the inventory cannot be read.
  public func identity() throws -> String { try CatalogKey(self).hex }

  /// The catalog, from the cache when nothing has changed.
  ///
  /// - Parameter progress: Called with short lines about what is being done.
  /// - Throws: ``CatalogError``, ``KubesprayTreeError``, `CommandError` or ``PythonEnvironmentError``.
  public func evaluate(progress: (@Sendable (String) -> Void)? = nil) async throws -> Catalog {
    let name = "\(try CatalogKey(self).hex).json"
    var isKnown = true
    let file = try await cache.entry(.catalogs, name) { file in
      isKnown = false
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      let catalog = try await evaluateWithRetry(progress: progress)
      try writeAtomically(Array(try encoder.encode(catalog)), to: file)
    }
    do {
      let catalog = try JSONDecoder().decode(
        Catalog.self, from: Data(try readBytes(file)))
      if isKnown { progress?("kubespray's variables are unchanged: using the catalog of the last run") }
      return catalog
    } catch  where isKnown {
      cache.discard(.catalogs, name)
      return try await evaluate(progress: progress)
    }
  }

  /// Keeps other runs out of the tree, into which kubespray's own script writes its lists.
  func turn() async throws -> Workplace {
    try await cache.workplace(.trees, "\(workingCopy.name).evaluation")
  }

  private func evaluateWithRetry(progress: (@Sendable (String) -> Void)?) async throws -> Catalog {
    do {
      let catalog = try await run(progress: progress)
      guard let missing = catalog.warnings.first(where: { CatalogError.isMissingCollection($0) }),
        !environment.hasFullAnsible
      else { return catalog }
      progress?("a variable needs an Ansible collection (\(missing.prefix(120)))")
    } catch let error as CatalogError where error.isMissingCollection && !environment.hasFullAnsible {
      progress?("a role needs an Ansible collection")
    }
    progress?("installing all of Ansible and evaluating again")
    return try await CatalogEvaluator(
      workingCopy: workingCopy, environment: environment.withFullAnsible(progress: progress),
      architecture: architecture, inventory: inventory, extraVariables: extraVariables,
      extraVariableFiles: extraVariableFiles, releases: releases, cache: cache
    ).run(progress: progress)
  }

  private func run(progress: (@Sendable (String) -> Void)?) async throws -> Catalog {
    let roleImages = workingCopy.tree.roleImages()
    let roleCharts = workingCopy.tree.roleCharts()
    let rolePackages = workingCopy.tree.rolePackages(on: releases)
    let turn = try await turn()
    defer { withExtendedLifetime(turn) {} }
    let run = try EvaluationRun(
      self, EvaluationQuestions(images: roleImages, charts: roleCharts, packages: rolePackages))
    defer { run.remove() }
    progress?("evaluating kubespray's variables with Ansible")
    let evaluations = try await run.execute()
    let lists = workingCopy.tree.path.appending("contrib/offline/temp")
    let assembly = CatalogAssembly(
      evaluations: evaluations, usesInventory: inventory != nil,
      officialFiles: try Self.lines(of: lists.appending("files.list")),
      officialImages: try Self.lines(of: lists.appending("images.list")), roleImages: roleImages,
      roleCharts: roleCharts, rolePackages: rolePackages)
    return CatalogAssembly.assemble(assembly, architecture: architecture.rawValue)
  }

  private static func lines(of path: FilePath) throws(CatalogError) -> [String] {
    guard let text = try? readText(path) else { throw .noList(path) }
    let lines = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard !lines.isEmpty else { throw .noList(path) }
    return lines
  }
}

/// Why there is no catalog.
public enum CatalogError: Error, CustomStringConvertible {
  /// Ansible or the official script failed; the last lines of what it said.
  case evaluationFailed(output: String)
  /// The official script made no list.
  case noList(FilePath)
  /// The inventory has no host in any of kubespray's groups.
  case noHosts(FilePath)
  /// A path that the official script, which splits its arguments at blanks, cannot take.
  case unusablePath(FilePath)
  /// What our plugin wrote cannot be read.
  case unreadableResult(String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .evaluationFailed(let output):
      "Ansible could not evaluate kubespray's variables:\n\(output)"
    case .noList(let path):
      "kubespray's generate_list.sh left no entries in \(path)"
    case .noHosts(let path):
      "\(path) has no host in the groups \(EvaluationScripts.clusterGroups.joined(separator: ", "))"
    case .unusablePath(let path):
      "\(path) has a blank or a special character in its file name, which kubespray's generate_list.sh cannot take"
    case .unreadableResult(let reason):
      "the evaluation of kubespray's variables gave an unreadable result: \(reason)"
    }
  }

  var isMissingCollection: Bool {
    if case .evaluationFailed(let output) = self { Self.isMissingCollection(output) } else { false }
  }

  /// Whether a message of Ansible says that a plugin of a collection is not installed.
  static func isMissingCollection(_ message: String) -> Bool {
    message.contains("unable to locate collection") || message.contains("couldn't resolve module/action")
      || message.contains(/No (filter|test|lookup) named|could not locate (filter|lookup)|Could not load "/)
  }
}
