import Files
import SystemPackage
import YAML

/// A kubespray source tree: where the things are that the catalog comes from.
public struct KubesprayTree: Sendable {
  /// The tree's folder.
  public let path: FilePath
  /// The file that declares `downloads`.
  public let downloadDefaults: FilePath
  /// The role whose defaults and vars make up the catalog, beside those of the role `download`.
  let defaultsRole: String

  /// Looks into a folder.
  ///
  /// - Throws: ``KubesprayTreeError`` when it is not a kubespray tree, with what is there instead.
  public init(_ path: FilePath) throws(KubesprayTreeError) {
    self.path = path
    guard fileExists(path) else { throw .missing(path) }
    guard fileExists(path.appending("contrib/offline/generate_list.sh")) else {
      throw .notKubespray(path, lacks: "contrib/offline/generate_list.sh", found: Self.contents(path))
    }
    // Newest place first; the role's old name had a dash, and before 2.25 the download role kept the file.
    let places = [
      ("kubespray_defaults", "roles/kubespray_defaults/defaults/main/download.yml"),
      ("kubespray-defaults", "roles/kubespray-defaults/defaults/main/download.yml"),
      ("kubespray-defaults", "roles/download/defaults/main/main.yml"),
      ("kubespray-defaults", "roles/download/defaults/main.yml"),
    ]
    guard let place = places.first(where: { fileExists(path.appending($0.1)) }) else {
      throw .notKubespray(path, lacks: places[0].1, found: Self.contents(path))
    }
    downloadDefaults = path.appending(place.1)
    defaultsRole = place.0
  }

  /// The Python packages that this kubespray asks for.
  public var requirements: FilePath { path.appending("requirements.txt") }

  /// The Python 3 minor versions that can run the Ansible of ``requirements``.
  public var pythonMinors: ClosedRange<Int> {
    AnsibleRequirement(requirements: (try? readTypedText(requirements)) ?? "").pythonMinors
  }

  /// The version that the tree says it is (galaxy.yml), such as `2.30.0`; nil when it says nothing.
  public var declaredVersion: String? {
    guard let text = try? readTypedText(path.appending("galaxy.yml")),
      let document = try? YAML.parse(text, source: "galaxy.yml")
    else { return nil }
    return document["version"]?.string
  }

  /// The names of the variables that the download defaults declare, in file order.
  func declaredNames() throws(KubesprayTreeError) -> [String] {
    guard let text = try? readTypedText(downloadDefaults) else { throw .unreadable(downloadDefaults) }
    return text.split(separator: "\n").compactMap { line in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let name = line[..<colon]
      let isName =
        !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      return isName ? String(name) : nil
    }
  }

  /// Whether the tree has a role of this name.
  func hasRole(_ name: String) -> Bool { fileExists(path.appending("roles/\(name)/tasks/main.yml")) }

  /// The files of tasks by which kubespray looks at an inventory before it changes anything, those that the tree has.
  var inventoryChecks: [FilePath] {
    ["validate_inventory/tasks/main.yml", "kubernetes/preinstall/tasks/0040-verify-settings.yml"]
      .map { path.appending("roles/\($0)") }.filter { fileExists($0) }
  }

  /// Everything below `roles/`, in order of names.
  var roleFiles: [String] {
    var files: [String] = []
    try? walkFolder(path.appending("roles")) { files.append($0.name) }
    return files.sorted()
  }

  private static func contents(_ path: FilePath) -> [String] { (try? listFolder(path)) ?? [] }
}

/// Why a folder is not a kubespray tree.
public enum KubesprayTreeError: Error, CustomStringConvertible {
  /// There is no such folder.
  case missing(FilePath)
  /// A file that every supported kubespray has is not there.
  case notKubespray(FilePath, lacks: String, found: [String])
  /// A file of the tree cannot be read.
  case unreadable(FilePath)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .missing(let path):
      return "\(path) does not exist"
    case .notKubespray(let path, let lacks, let found):
      let names = found.prefix(6).joined(separator: ", ") + (found.count > 6 ? ", …" : "")
      return "\(path) is not a kubespray tree: it lacks \(lacks) "
        + (found.isEmpty ? "(the folder is empty)" : "(found: \(names))")
    case .unreadable(let path):
      return "\(path) cannot be read"
    }
  }
}
