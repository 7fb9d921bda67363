import Bundle
import Cache
import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// Evaluates what a kubespray tree needs, by the only true evaluator of its variables, Ansible.
///
/// One Ansible process runs a playbook of ours, which writes down `downloads` and what the official lists
/// miss, and then the tree's own contrib/offline/generate_list.sh; see `CatalogAssembly` for how the two
/// are joined. The result is kept as JSON in the cache until anything that it depends on changes.
public struct CatalogEvaluator: Sendable {
  /// The patched working copy; the official script writes its lists into it.
  public let workingCopy: WorkingCopy
  /// Where Ansible is.
  public let environment: PythonEnvironment
  /// The architecture of the cluster's nodes.
  public let architecture: Architecture
  /// Those of all nodes of the run, each of which has an evaluation of its own.
  public let architectures: [Architecture]
  /// The user's inventory, a file or a folder; nil evaluates kubespray's defaults.
  public let inventory: FilePath?
  /// Variables that override everything, as `ansible-playbook -e` does. A value that is JSON `true`, `false`,
  /// a list or an object is taken as such, anything else as text (so that version 1.30 stays 1.30).
  public let extraVariables: [String: String]
  /// Further extra variables, each a text as `ansible-playbook -e` takes it: words `NAME=VALUE`, a mapping in JSON or
  /// YAML, or `@FILE`, where a relative path begins in the folder of this process.
  public let extraArguments: [String]
  /// Further files of such variables (`-e @FILE`).
  public let extraVariableFiles: [FilePath]
  /// What the nodes may run: the packages of these releases are in the catalog.
  public let releases: [NodeRelease]
  /// Where the result is kept.
  public let cache: Cache

  /// Describes an evaluation; nothing runs yet.
  public init(
    workingCopy: WorkingCopy, environment: PythonEnvironment, architecture: Architecture,
    architectures: [Architecture] = [], inventory: FilePath? = nil, extraVariables: [String: String] = [:],
    extraArguments: [String] = [], extraVariableFiles: [FilePath] = [], releases: [NodeRelease] = [],
    cache: Cache
  ) {
    self.architectures = architectures.isEmpty ? [architecture] : architectures
    self.extraArguments = extraArguments.map { Self.withHome($0) }
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
  public func identity() throws -> String {
    let key = try CatalogKey(self)
    // What depends on more than can be written down is never the same.
    return key.isOpen ? "\(key.hex) \(UInt64.random(in: 0 ... .max))" : key.hex
  }

  /// The catalog, from the cache when nothing has changed.
  ///
  /// - Parameter progress: Called with short lines about what is being done.
  /// - Throws: ``CatalogError``, ``KubesprayTreeError``, `CommandError` or ``PythonEnvironmentError``.
  public func evaluate(progress: (@Sendable (String) -> Void)? = nil) async throws -> Catalog {
    let key = try CatalogKey(self)
    guard !key.isOpen else {
      progress?("the inventory looks at more than its files: evaluating it again")
      return try await evaluateWithRetry(progress: progress)
    }
    let name = "\(key.hex).json"
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

  /// An argument of `-e` with the home folder in place of `~`: behind `@` shells leave it as it is, and Ansible takes it.
  public static func withHome(
    _ argument: String, home: String? = ProcessInfo.processInfo.environment["HOME"]
  ) -> String {
    guard argument.hasPrefix("@~/"), let home, !home.isEmpty else { return argument }
    return "@\(home)\(argument.dropFirst(2))"
  }

  /// The files of extra variables.
  ///
  /// - Throws: ``CatalogError`` when one is missing.
  func allVariableFiles() throws(CatalogError) -> [FilePath] {
    let named = extraArguments.filter { $0.hasPrefix("@") }.map { FilePath(String($0.dropFirst())) }
    for file in named where !fileExists(file) || folderExists(file) {
      throw .missing(file, setting: "-e @\(file)")
    }
    return named + extraVariableFiles
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
      architecture: architecture, architectures: architectures, inventory: inventory,
      extraVariables: extraVariables, extraArguments: extraArguments,
      extraVariableFiles: extraVariableFiles, releases: releases, cache: cache
    ).run(progress: progress)
  }

  private func run(progress: (@Sendable (String) -> Void)?) async throws -> Catalog {
    let roleImages = workingCopy.tree.roleImages()
    let roleCharts = workingCopy.tree.roleCharts()
    let rolePackages = workingCopy.tree.rolePackages(on: releases)
    let turn = try await turn()
    defer { withExtendedLifetime(turn) {} }
    var run = try EvaluationRun(
      self,
      EvaluationQuestions(
        images: roleImages, charts: roleCharts, packages: rolePackages, checksInventory: inventory != nil))
    defer { run.remove() }
    progress?("evaluating kubespray's variables with Ansible")
    let evaluations = try ofItsArchitecture(try await run.execute())
    try OfflineEnvironment.refuse(evaluations)
    if let failure = evaluations.lazy.compactMap(\.failureOfOwnAddress).first {
      throw CatalogError.evaluationFailed(output: "  \(failure)", closed: run.closed)
    }
    let lists = workingCopy.tree.path.appending("contrib/offline/temp")
    let assembly = CatalogAssembly(
      evaluations: evaluations, usesInventory: inventory != nil,
      officialFiles: OfficialFile.list(
        try Self.lines(of: lists.appending("files.list")),
        defaults: (try? readText(workingCopy.tree.downloadDefaults)) ?? ""),
      officialImages: try Self.lines(of: lists.appending("images.list")), roleImages: roleImages,
      roleCharts: roleCharts, rolePackages: rolePackages)
    var catalog = try CatalogAssembly.assemble(assembly, architecture: architecture.rawValue)
    catalog.warnings = (catalog.warnings + run.warnings).sorted()
    return catalog
  }

  /// The hosts that the evaluation is about: each is evaluated for the architecture that its variables fix, if they do.
  ///
  /// - Throws: ``CatalogError`` when hosts are of an architecture that is not one of the run.
  func ofItsArchitecture(_ evaluations: [HostEvaluation]) throws(CatalogError) -> [HostEvaluation] {
    let own = evaluations.filter { ($0.architecture ?? architecture.rawValue) == architecture.rawValue }
    let others = evaluations.filter { $0.architecture != nil && $0.architecture != architecture.rawValue }
    let isKnown = others.allSatisfy { other in architectures.contains { $0.rawValue == other.architecture } }
    guard isKnown, !own.isEmpty else {
      let given = Dictionary(grouping: others, by: { $0.architecture ?? "" }).mapValues {
        inventory == nil ? [] : $0.map(\.host).sorted()
      }
      throw .otherArchitectures(
        wanted: architectures.map(\.rawValue), given, isMixed: !own.isEmpty || given.count > 1)
    }
    return own
  }

  private static func lines(of path: FilePath) throws(CatalogError) -> [String] {
    guard let text = try? readTypedText(path) else { throw .noList(path) }
    let lines = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard !lines.isEmpty else { throw .noList(path) }
    return lines
  }
}

/// Why there is no catalog.
public enum CatalogError: Error, CustomStringConvertible {
  /// Ansible or the official script failed: what it said of that, and the encrypted files that were left out.
  case evaluationFailed(output: String, closed: [String])
  /// The official script made no list.
  case noList(FilePath)
  /// The inventory has no host in any of kubespray's groups.
  case noHosts(FilePath)
  /// Hosts, by the architecture (`image_arch`) that their variables fix, where the bundle is for others.
  case otherArchitectures(wanted: [String], [String: [String]], isMixed: Bool)
  /// Image bases that are none, by variable.
  case badImageBases([String: String])
  /// Variables with addresses of the machines without internet.
  case offlineEnvironment([String: String])
  /// A path with a comma, which Ansible takes for a list of hosts.
  case unusablePath(FilePath)
  /// A file that a setting names is not there; without a setting it is the inventory.
  case missing(FilePath, setting: String?)
  /// What our plugin wrote cannot be read.
  case unreadableResult(String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .evaluationFailed(let output, _):
      "Ansible could not evaluate kubespray's variables:\n\(output)"
    case .otherArchitectures(let wanted, let given, _): Self.describe(wanted, given)
    case .badImageBases(let bases):
      bases.sorted { $0.key < $1.key }.map { name, value in
        "\(name) is \"\(maskingSecrets(in: value))\": it \(ImageBase.reason(value))"
      }.joined(separator: "; ")
    case .offlineEnvironment(let variables):
      variables.sorted { $0.key < $1.key }.map { "\($0.key) is \"\(maskingSecrets(in: $0.value))\"" }
        .joined(separator: ", ") + ": nothing can be fetched from there"
    case .missing(let path, nil): "there is no inventory \(path)"
    case .missing(let path, let setting?): "\(setting): there is no file \(path)"
    case .noList(let path):
      "kubespray's generate_list.sh left no entries in \(path)"
    case .noHosts(let path):
      "\(path) has no host in the groups \(EvaluationScripts.clusterGroups.joined(separator: ", "))"
    case .unusablePath(let path):
      "\(path) has a comma in its name, and Ansible would take it for a list of hosts"
    case .unreadableResult(let reason):
      "the evaluation of kubespray's variables gave an unreadable result: \(reason)"
    }
  }

  private static func describe(_ wanted: [String], _ given: [String: [String]]) -> String {
    let hosts = given.sorted { $0.key < $1.key }.map { architecture, hosts in
      let names = hosts.prefix(5).joined(separator: ", ") + (hosts.count > 5 ? ", …" : "")
      return architecture + (names.isEmpty ? "" : " (\(names))")
    }
    return "kubespray's variables give image_arch \(hosts.joined(separator: " and ")), and the bundle is for "
      + wanted.joined(separator: " and ")
  }

  var isMissingCollection: Bool {
    if case .evaluationFailed(let output, _) = self { Self.isMissingCollection(output) } else { false }
  }

  /// Whether Ansible says that it cannot open a vault.
  public var isAboutVault: Bool {
    guard case .evaluationFailed(let output, _) = self else { return false }
    let words = output.lowercased()
    return words.contains("vault secret") || words.contains("vault password") || words.contains("decrypt")
  }

  /// A version that kubespray's tables have no entry for, as Ansible names it.
  public var unknownVersion: String? {
    guard case .evaluationFailed(let output, _) = self else { return nil }
    return output.firstMatch(of: /has no attribute '(v?\d+\.\d+[^']*)'/).map { String($0.1) }
  }

  /// Whether a message of Ansible says that a plugin of a collection is not installed.
  static func isMissingCollection(_ message: String) -> Bool {
    message.contains("unable to locate collection") || message.contains("couldn't resolve module/action")
      || message.contains(/No (filter|test|lookup) named|could not locate (filter|lookup)|Could not load "/)
  }
}
