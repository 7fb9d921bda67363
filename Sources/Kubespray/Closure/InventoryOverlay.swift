import Files
import SystemPackage

/// The user's inventory with the bundle's offline.yml in `group_vars/all/`, where the documentation tells to put it.
/// The inventory itself stays as it is: everything but that one file is linked.
struct InventoryOverlay {
  /// A folder, or a file with `group_vars` and `host_vars` beside it.
  private let inventory: FilePath
  private let isFolder: Bool
  private let offline: String

  /// - Throws: `FileError` when there is no such inventory.
  init(_ inventory: FilePath, offline: String) throws {
    let absolute = try realPath(inventory)
    self.inventory = absolute
    self.offline = offline
    isFolder = folderExists(absolute)
  }

  /// Makes the overlay in a folder, which must not be there yet.
  ///
  /// - Returns: What to give to Ansible as its inventory.
  /// - Throws: `FileError`.
  func write(in folder: FilePath) throws -> String {
    let source = isFolder ? inventory : inventory.removingLastComponent()
    try createDirectories(folder)
    for name in try listFolder(source) where name != "group_vars" {
      // Beside an inventory file anything may lie; only what Ansible reads for it counts.
      guard isFolder || name == inventory.lastComponent?.string || name == "host_vars" else { continue }
      try createLink(folder.appending(name), to: source.appending(name).string)
    }
    try writeVariables(of: source.appending("group_vars"), in: folder.appending("group_vars"))
    return isFolder ? folder.string : folder.appending(inventory.lastComponent?.string ?? "").string
  }

  /// Ansible takes the folder `all` and passes over files of that name beside it, so these move into the folder.
  private func writeVariables(of source: FilePath, in folder: FilePath) throws {
    let all = folder.appending("all")
    try createDirectories(all)
    for name in try listFolder(ifPresent: source) {
      let place = source.appending(name)
      if name == "all", folderExists(place) {
        for inner in try listFolder(place) where inner != "offline.yml" {
          try createLink(all.appending(inner), to: place.appending(inner).string)
        }
      } else if ["all", "all.yml", "all.yaml", "all.json"].contains(name) {
        try createLink(all.appending(name == "all" ? "all.yml" : name), to: place.string)
      } else {
        try createLink(folder.appending(name), to: place.string)
      }
    }
    try writeAtomically(offline, to: all.appending("offline.yml"))
  }
}
