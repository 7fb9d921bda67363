import Cache
import Files
import Foundation
import Host
import Kubespray
import SystemPackage

/// Runs a body with a fresh folder, whose path has a blank, and removes the folder.
func withTemporaryFolder<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
  try await Files.withTemporaryFolder(named: "kubespray tests", body)
}

/// The root of the repository.
let repository = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()

/// The small tree of our own.
let miniTree = repository.appending("Tests/Fixtures/kubespray-mini")

/// Python environments, made once for all tests: they are slow to make and do not depend on the test. They
/// lie with the build products, so that the next run finds them.
actor Environments {
  static let shared = Environments()
  static var cache: Cache { get throws { try Cache(repository.appending(".build/test-environments")) } }
  private var tasks: [String: Task<PythonEnvironment, any Error>] = [:]

  func environment(for tree: KubesprayTree) async throws -> PythonEnvironment {
    let requirements = try String(contentsOfFile: tree.requirements.string, encoding: .utf8)
    let task =
      tasks[requirements] ?? Task { try await PythonEnvironment.prepare(for: tree, cache: try Self.cache) }
    tasks[requirements] = task
    return try await task.value
  }
}

/// An inventory of four hosts without a k8s_cluster group, as kubespray's own sample has it.
///
/// - Returns: The inventory file.
func writeInventory(in folder: FilePath, clusterVariables: String) throws -> FilePath {
  let variables = folder.appending("group_vars/k8s_cluster")
  try createDirectories(variables)
  try writeAtomically(clusterVariables, to: variables.appending("cluster.yml"))
  let file = folder.appending("hosts.ini")
  try writeAtomically(
    """
    [kube_control_plane]
    control1
    [etcd]
    etcd1 ansible_host=192.0.2.1 ansible_connection=ssh
    [kube_node]
    node1 ansible_host=192.0.2.2
    node2 ansible_host=192.0.2.3

    """, to: file)
  return file
}

/// A tree, its environment and what is evaluated with them.
struct TreeEvaluation {
  let workingCopy: WorkingCopy
  let environment: PythonEnvironment
  let cache: Cache

  /// Makes a working copy of a tree's folder; the folder itself stays as it is.
  init(copying source: FilePath, patches: FilePath? = nil, cache: FilePath) async throws {
    let tree = try KubesprayTree(source)
    let version = try KubesprayVersion(tree: tree.declaredVersion ?? "0.0.0")
    self.cache = try Cache(cache)
    let workspace = KubesprayWorkspace(version: version, patches: patches, cache: self.cache)
    workingCopy = try await workspace.prepare(.folder(source))
    environment = try await Environments.shared.environment(for: workingCopy.tree)
  }

  func evaluate(
    architecture: Architecture = .amd64, inventory: FilePath? = nil, extra: [String: String] = [:],
    arguments: [String] = [], architectures: [Architecture] = [], releases: [NodeRelease] = []
  ) async throws -> Catalog {
    try await CatalogEvaluator(
      workingCopy: workingCopy, environment: environment, architecture: architecture,
      architectures: architectures, inventory: inventory, extraVariables: extra, extraArguments: arguments,
      releases: releases, cache: cache
    ).evaluate()
  }

  /// The time of the tree's own script with no more than it needs to run.
  func durationOfOfficialScript() async throws -> Duration {
    let clock = ContinuousClock()
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    // The script cannot take a path with blanks.
    let link = FilePath("/tmp/kubespray-plain-\(UUID().uuidString)")
    try FileManager.default.createSymbolicLink(
      atPath: link.string, withDestinationPath: workingCopy.tree.path.string)
    defer { try? FileManager.default.removeItem(atPath: link.string) }
    let command = Command(
      "bash", ["\(link)/contrib/offline/generate_list.sh"],
      environment: [
        "PATH": "\(environment.path)/bin:\(path)", "ANSIBLE_CACHE_PLUGIN": "memory", "LC_ALL": "C.UTF-8",
      ])
    _ = try await command.output()
    let start = clock.now
    _ = try await command.output()
    return clock.now - start
  }

  /// The lines of a list that the tree's own script made last.
  func officialList(_ name: String) throws -> [String] {
    let path = workingCopy.tree.path.appending("contrib/offline/temp/\(name).list")
    return try String(contentsOfFile: path.string, encoding: .utf8).split(separator: "\n").map(String.init)
  }
}
