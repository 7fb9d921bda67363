import Bundle
import Foundation
import Host
import Integrity
import Kubespray
import SystemPackage
import Testing

/// Runs a body with a fresh folder and removes the folder.
func withTemporaryFolder<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
  let url = FileManager.default.temporaryDirectory.appending(path: "kubespray tests \(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: url) }
  return try await body(FilePath(url.path))
}

/// Environments are slow to make and do not depend on the test, so they are kept between runs.
let environmentCache = FilePath(FileManager.default.temporaryDirectory.path).appending(
  "kubespray-offline-tests")

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
  let cache: FilePath

  /// Makes a working copy of a tree's folder; the folder itself stays as it is.
  init(copying source: FilePath, patches: FilePath? = nil, cache: FilePath) async throws {
    let tree = try KubesprayTree(source)
    let version = try KubesprayVersion(tree: tree.declaredVersion ?? "0.0.0")
    let workspace = KubesprayWorkspace(version: version, patches: patches, cache: cache)
    workingCopy = try await workspace.prepare(.folder(source))
    environment = try await PythonEnvironment.prepare(for: workingCopy.tree, cache: environmentCache)
    self.cache = cache
  }

  func evaluate(
    architecture: Architecture = .amd64, inventory: FilePath? = nil, extra: [String: String] = [:],
    files: [FilePath] = []
  ) async throws -> Catalog {
    try await CatalogEvaluator(
      workingCopy: workingCopy, environment: environment, architecture: architecture, inventory: inventory,
      extraVariables: extra, extraVariableFiles: files, cache: cache
    ).evaluate()
  }

  /// The time of the tree's own script with no more than it needs to run.
  func secondsOfOfficialScript() async throws -> Duration {
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

/// What must hold for every kubespray: nothing official is missing, every file has a place, and Ansible itself
/// with our offline.yml asks for exactly these places.
func checkConformance(_ evaluation: TreeEvaluation) async throws {
  let plain = try await evaluation.secondsOfOfficialScript()
  let clock = ContinuousClock()
  let start = clock.now
  let catalog = try await evaluation.evaluate()
  let seconds = clock.now - start
  let files = try evaluation.officialList("files")
  let images = try evaluation.officialList("images")
  #expect(Set(files).isSubset(of: catalog.files.map(\.url)))
  #expect(Set(images).isSubset(of: catalog.images.map(\.reference)))
  #expect(catalog.files.filter(\.isOfficial).count == Set(files).count)
  #expect(catalog.images.filter(\.isOfficial).count == Set(images).count)
  #expect(catalog.images.contains { $0.isEnabled && $0.reference.contains("/kube-apiserver:v") })
  for file in catalog.files { #expect(file.checksum != nil, "\(file.url) has no checksum") }
  print(
    "\(evaluation.workingCopy.version): files \(catalog.files.count) (official \(Set(files).count), "
      + "enabled \(catalog.files.count { $0.isEnabled }), with checksum \(catalog.files.count { $0.checksum != nil })), "
      + "images \(catalog.images.count) (official \(Set(images).count), enabled \(catalog.images.count { $0.isEnabled })), "
      + "\(catalog.warnings.count) warnings, \(seconds) against \(plain) of the script alone")
  for warning in catalog.warnings { print("  warning: \(warning)") }
  for image in catalog.images where !image.isOfficial {
    print("  image \(image.isEnabled ? "+" : "-") \(image.reference) \(image.origin)")
  }
  for file in catalog.files where !file.isOfficial { print("  file \(file.url) \(file.origin)") }

  for name in FileLayoutName.allCases { try await checkOffline(evaluation, catalog, FileLayout(name: name)) }
}

/// Evaluates the tree with offline.yml: every URL must be below files_repo at the file's place, every image
/// below registry_host under its push name.
private func checkOffline(
  _ evaluation: TreeEvaluation, _ catalog: Catalog, _ layout: FileLayout
) async throws {
  let inventory = OfflineInventory(version: evaluation.workingCopy.version, layout: layout)
  let places = try layout.placements(of: catalog.files)
  let text = try inventory.render(catalog)
  let path = evaluation.cache.appending("offline-\(layout.name.rawValue).yml")
  try text.write(toFile: path.string, atomically: true, encoding: .utf8)
  let offline = try await evaluation.evaluate(files: [path])

  // The official script reads the text of download.yml and so never sees an override.
  let files = offline.files.filter { $0.origin != "files.list" }
  let expected = Set(places.values.map { "http://YOUR_HOST/files/\($0.path)" })
  #expect(Set(files.map(\.url)) == expected, "files.layout \(layout.name.rawValue)")
  let reachable = Set(catalog.images.map { "YOUR_HOST:35000/" + inventory.pushName($0.reference) })
  let asked = Set(offline.images.map(\.reference))
  #expect(asked.subtracting(reachable).isEmpty)
  #expect(asked.count == reachable.count)
}
