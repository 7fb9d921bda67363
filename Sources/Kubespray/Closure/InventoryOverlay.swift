import Files
import SystemPackage

/// The user's inventory with another offline.yml in `group_vars/all/`, where the documentation tells to put it, or
/// without files that cannot be read. The inventory itself stays as it is: everything else is linked.
struct InventoryOverlay {
  /// A folder, or a file with `group_vars` and `host_vars` beside it; absolute.
  private let inventory: FilePath
  private let isFolder: Bool
  private let offline: String?
  /// Paths below the inventory's folder.
  private let leftOut: Set<String>

  /// - Parameters:
  ///   - offline: The text of the offline.yml, if there is to be one.
  ///   - leftOut: Files below the inventory's folder that are not to be seen.
  /// - Throws: `FileError` when there is no such inventory.
  init(_ inventory: FilePath, offline: String?, leavingOut leftOut: [String] = []) throws {
    self.inventory = try currentFolder().pushing(inventory)
    self.offline = offline
    self.leftOut = Set(leftOut)
    isFolder = try FileInfo(inventory, followsLinks: true).kind == .folder
  }

  /// Makes the overlay in a folder, which must not be there yet.
  ///
  /// - Returns: What to give to Ansible as its inventory.
  /// - Throws: `FileError`.
  func write(in folder: FilePath) throws -> String {
    // Ansible looks beside an inventory file as it is named, be it a link.
    let source = isFolder ? inventory : inventory.removingLastComponent()
    // A program may look at its neighbours; beside another inventory file anything may lie that nobody reads.
    let takesAll = isFolder || isExecutable(inventory)
    try createDirectories(folder)
    for name in try listFolder(source) where !InventoryContent.variableFolders.contains(name) {
      guard takesAll || name == inventory.lastComponent?.string else { continue }
      try createLink(folder.appending(name), to: source.appending(name).string)
    }
    try mirror(source.appending("host_vars"), "host_vars", in: folder.appending("host_vars"), depth: 0)
    let variables = folder.appending("group_vars")
    if let offline {
      try writeVariables(of: source.appending("group_vars"), in: variables)
      try writeAtomically(offline, to: variables.appending("all/offline.yml"))
    } else {
      try mirror(source.appending("group_vars"), "group_vars", in: variables, depth: 0)
    }
    return isFolder ? folder.string : folder.appending(inventory.lastComponent?.string ?? "").string
  }

  /// Ansible takes the folder `all` and passes over files of that name beside it, so these move into the folder.
  private func writeVariables(of source: FilePath, in folder: FilePath) throws {
    let all = folder.appending("all")
    try createDirectories(all)
    for name in try listFolder(ifPresent: source) where !leftOut.contains("group_vars/\(name)") {
      let place = source.appending(name)
      if name == "all", folderExists(place) {
        for inner in try listFolder(place) where inner != "offline.yml" {
          try mirror(
            place.appending(inner), "group_vars/all/\(inner)", in: all.appending(inner), depth: 1)
        }
      } else if ["all", "all.yml", "all.yaml", "all.json"].contains(name) {
        try createLink(all.appending(name == "all" ? "all.yml" : name), to: place.string)
      } else {
        try mirror(place, "group_vars/\(name)", in: folder.appending(name), depth: 1)
      }
    }
  }

  /// Links a file, or a folder in which nothing is left out; any other folder is made, with links in it.
  private func mirror(_ source: FilePath, _ name: String, in place: FilePath, depth: Int) throws {
    guard fileExists(source), !leftOut.contains(name), depth < 20 else { return }
    guard folderExists(source), leftOut.contains(where: { $0.hasPrefix(name + "/") }) else {
      return try createLink(place, to: source.string)
    }
    try createDirectories(place)
    for child in try listFolder(source) {
      try mirror(source.appending(child), "\(name)/\(child)", in: place.appending(child), depth: depth + 1)
    }
  }
}
