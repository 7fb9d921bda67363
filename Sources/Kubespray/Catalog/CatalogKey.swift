import Cache
import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// What a catalog depends on, as one digest; and whether it depends on more than can be written down.
struct CatalogKey {
  /// Raised when the same inputs give another catalog.
  private static let format = 6

  /// The key.
  let hex: String
  /// Whether the evaluation looks at more than files: it is made again by every run.
  let isOpen: Bool
  /// Files of the inventory that are encrypted as a whole while nothing is there to open them, relative to its folder.
  let closed: [String]
  /// Files of the inventory that this project has written for the machines without internet, relative to its folder.
  let ownSettings: [String]
  /// What should be a folder of variables and is a file, which Ansible passes over.
  let flattened: [String]

  /// - Throws: `FileError` when the inventory cannot be read; ``CatalogError`` when something that it takes is missing.
  init(_ evaluator: CatalogEvaluator) throws {
    let vault = VaultSecrets(tree: evaluator.workingCopy.tree.path)
    for (path, setting) in vault.files where !fileExists(path) {
      throw CatalogError.missing(path, setting: setting)
    }
    var isOpen = false
    var closed: [String] = []
    var ownSettings: [String] = []
    var flattened: [String] = []
    var key = CacheKey([
      "format": "\(Self.format)", "tree": evaluator.workingCopy.stamp,
      "environment": evaluator.environment.identity,
      "inventory": evaluator.inventory == nil ? "defaults" : "given",
      "architecture": evaluator.architecture.machineName, "vault": vault.isEmpty ? "closed" : "open",
      "architectures": evaluator.architectures.map(\.rawValue).joined(separator: " "),
    ])
    for (name, content) in EvaluationScripts.files { key.add(name, Digest(of: content).hex) }
    for release in evaluator.releases.map(\.name).sorted() { key.add("release", release) }
    for (name, value) in evaluator.extraVariables.sorted(by: { $0.key < $1.key }) {
      key.add(name, value)
      isOpen = isOpen || EvaluatedText(Array(value.utf8)).readsWorld
    }
    for text in evaluator.extraArguments where !text.hasPrefix("@") {
      key.add("argument", text)
      isOpen = isOpen || EvaluatedText(Array(text.utf8)).readsWorld
    }
    for file in try evaluator.allVariableFiles() {
      let bytes = try readBytes(file)
      key.add("file", Digest(of: bytes).hex)
      let text = EvaluatedText(bytes)
      isOpen = isOpen || text.readsWorld || text.hasSecrets
    }
    if let inventory = evaluator.inventory {
      guard fileExists(inventory) else { throw CatalogError.missing(inventory, setting: nil) }
      let content = try InventoryContent(inventory)
      for part in content.parts + content.flattened { key.add("inventory", part) }
      // What lies in an opened vault may be a template that looks at anything.
      isOpen = isOpen || content.readsWorld || content.hasSecrets && !vault.isEmpty
      ownSettings = content.ownSettings
      flattened = content.flattened
      if vault.isEmpty { closed = content.encrypted }
    }
    hex = key.description
    self.isOpen = isOpen
    self.closed = closed
    self.ownSettings = ownSettings
    self.flattened = flattened
  }
}
