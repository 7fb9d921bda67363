import Bundle
import Files
import SystemPackage

/// Names of a bundle that came through a medium which does not keep upper and lower case.
enum ChangedNames {
  /// What lies in a folder in the place of a path, with other letters in upper case; `nil` when there is nothing.
  static func found(_ path: String, in bundle: FilePath) -> String? {
    var folder = bundle
    var found: [String] = []
    for part in path.split(separator: "/") {
      let names = (try? listFolder(folder)) ?? []
      guard
        let name = names.first(where: { $0 == part })
          ?? names.first(where: { $0.lowercased() == part.lowercased() })
      else { return nil }
      found.append(name)
      folder = folder.appending(name)
    }
    let place = found.joined(separator: "/")
    return place == path ? nil : place
  }

  /// A sentence about what was found.
  static func remark(_ place: String) -> String {
    "it is there as \(place): the medium does not keep upper and lower case in names. Copy the bundle as one tar file, or on "
      + "a medium that keeps them (exFAT, ext4)"
  }
}
