import Cache
import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// What a cached catalog depends on, as one digest.
struct CatalogKey {
  /// Raised when the same inputs give another catalog.
  private static let format = 5

  /// The key.
  let hex: String

  /// - Throws: `FileError` when the inventory cannot be read.
  init(_ evaluator: CatalogEvaluator) throws {
    var key = CacheKey([
      "format": "\(Self.format)", "tree": evaluator.workingCopy.stamp,
      "environment": evaluator.environment.identity,
      "inventory": evaluator.inventory == nil ? "defaults" : "given",
      "architecture": evaluator.architecture.machineName,
    ])
    for (name, content) in EvaluationScripts.files { key.add(name, Digest(of: content).hex) }
    for release in evaluator.releases.map(\.name).sorted() { key.add("release", release) }
    for (name, value) in evaluator.extraVariables.sorted(by: { $0.key < $1.key }) { key.add(name, value) }
    for file in evaluator.extraVariableFiles { key.add("file", try Digest(ofFile: file).hex) }
    if let inventory = evaluator.inventory {
      for part in try Self.content(of: inventory) { key.add("inventory", part) }
    }
    hex = key.description
  }

  /// Every file of the inventory's folder, and of the folder beside an inventory file, where group_vars and
  /// host_vars are.
  private static func content(of inventory: FilePath) throws -> [String] {
    let isDirectory = try FileInfo(inventory, followsLinks: true).kind == .folder
    let folder = isDirectory ? inventory : inventory.removingLastComponent()
    let root = folder.isEmpty ? FilePath(".") : folder
    var parts = [isDirectory ? "folder" : inventory.lastComponent?.string ?? ""]
    var names: [String] = []
    if isDirectory {
      try walkFolder(root) { names.append($0.name) }
    } else {
      // An inventory file may lie anywhere, such as a home folder; only what Ansible reads for it counts.
      names.append(parts[0])
      for top in ["group_vars", "host_vars"] where folderExists(root.appending(top)) {
        try walkFolder(root.appending(top)) { names.append("\(top)/\($0.name)") }
      }
    }
    for name in names.sorted() {
      let path = root.appending(name)
      guard fileExists(path), !folderExists(path) else { continue }
      parts.append("\(name) \(try Digest(ofFile: path).hex)")
    }
    return parts
  }
}
