import Files
import Host
import Integrity
import SystemPackage

/// What a cached catalog depends on, as one digest.
struct CatalogKey {
  /// Raised when the same inputs give another catalog.
  private static let format = 5

  /// The first 24 hexadecimal digits.
  let hex: String

  /// - Throws: `FileError` when the inventory cannot be read.
  init(_ evaluator: CatalogEvaluator) throws {
    var parts = [
      "format \(Self.format)", evaluator.workingCopy.stamp, evaluator.environment.identity,
      evaluator.inventory == nil ? "defaults" : "inventory", evaluator.architecture.machineName,
      Digest(of: EvaluationScripts.files.flatMap { Array($0.key.utf8) + $0.value }).hex,
    ]
    parts += evaluator.releases.map { "release \($0.name)" }.sorted()
    parts += evaluator.extraVariables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    for file in evaluator.extraVariableFiles { parts.append(try Digest(ofFile: file).hex) }
    if let inventory = evaluator.inventory { parts += try Self.content(of: inventory) }
    hex = String(Digest(of: Array(parts.joined(separator: "\n").utf8)).hex.prefix(24))
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
