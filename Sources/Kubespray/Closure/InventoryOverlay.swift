import Files
import FoundationEssentials
import SystemPackage

/// The user's inventory with the bundle's offline.yml in `group_vars/all/`, where the documentation tells to put it.
/// The inventory itself stays as it is: everything but that one file is linked.
struct InventoryOverlay {
  /// A folder, or a file with `group_vars` and `host_vars` beside it.
  private let inventory: FilePath
  private let isFolder: Bool
  private let offline: String

  /// - Throws: `Errno` when there is no such inventory.
  init(_ inventory: FilePath, offline: String) throws {
    guard let absolute = realpath(inventory) else { throw Errno.noSuchFileOrDirectory }
    self.inventory = absolute
    self.offline = offline
    isFolder = Self.isFolder(absolute)
  }

  /// Makes the overlay in a folder, which must not be there yet.
  ///
  /// - Returns: What to give to Ansible as its inventory.
  /// - Throws: An error of the file system.
  func write(in folder: FilePath) throws -> String {
    let source = isFolder ? inventory : inventory.removingLastComponent()
    try createDirectories(folder)
    for name in try Self.names(in: source) where name != "group_vars" {
      // Beside an inventory file anything may lie; only what Ansible reads for it counts.
      guard isFolder || name == inventory.lastComponent?.string || name == "host_vars" else { continue }
      try Self.link(folder.appending(name), to: source.appending(name))
    }
    try writeVariables(of: source.appending("group_vars"), in: folder.appending("group_vars"))
    return isFolder ? folder.string : folder.appending(inventory.lastComponent?.string ?? "").string
  }

  /// Ansible takes the folder `all` and passes over files of that name beside it, so these move into the folder.
  private func writeVariables(of source: FilePath, in folder: FilePath) throws {
    let all = folder.appending("all")
    try createDirectories(all)
    for name in (try? Self.names(in: source)) ?? [] {
      let place = source.appending(name)
      if name == "all", Self.isFolder(place) {
        for inner in try Self.names(in: place) where inner != "offline.yml" {
          try Self.link(all.appending(inner), to: place.appending(inner))
        }
      } else if ["all", "all.yml", "all.yaml", "all.json"].contains(name) {
        try Self.link(all.appending(name == "all" ? "all.yml" : name), to: place)
      } else {
        try Self.link(folder.appending(name), to: place)
      }
    }
    try writeAtomically(offline, to: all.appending("offline.yml"))
  }

  private static func names(in folder: FilePath) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
  }

  private static func isFolder(_ path: FilePath) -> Bool {
    var isFolder = false
    return FileManager.default.fileExists(atPath: path.string, isDirectory: &isFolder) && isFolder
  }

  private static func link(_ place: FilePath, to target: FilePath) throws {
    try FileManager.default.createSymbolicLink(atPath: place.string, withDestinationPath: target.string)
  }
}
