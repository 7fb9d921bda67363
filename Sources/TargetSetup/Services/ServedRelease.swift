import Files
import Host
import SystemPackage

/// A bundle of which the web server of this host hands out files, packages and wheels.
struct ServedRelease: Sendable, Equatable, Codable {
  /// The bundle's id; of a bundle of the shell project, which has none, a name made of its version.
  let id: String
  /// The kubespray version that it is for.
  let kubespray: String
  /// Its files, by path below the folder `files`, with their digests as hexadecimal digits; of a bundle of the shell project
  /// none.
  let files: [String: String]
  /// The folder `files`: JSON has texts, and earlier versions of this program look for this one.
  private let path: String
  /// What it has; `nil` when an earlier version of this program has written this down.
  private var served: [ServedTree.Part]?
  /// What the public keys of each repository are known by; see ``keys``.
  private var repositoryKeys: [String: [String]]?

  private enum CodingKeys: String, CodingKey {
    case id, kubespray, files, path
    case served = "parts"
    case repositoryKeys = "keys"
  }

  /// The folder in which the folders that are served lie, a path of the host: the bundle's own, or a copy's.
  var folder: FilePath { FilePath(path).removingLastComponent() }

  /// What of it is served.
  var parts: [ServedTree.Part] { served ?? [.files] }

  /// What the public keys of each package repository are known by, by its folder, such as `debs/local`: a fingerprint, or
  /// the digest of the key's file. A repository that nobody has signed has none.
  var keys: [String: [String]] { repositoryKeys ?? [:] }

  /// Whether it was set up by an earlier version of this program, whose playbook leads nodes to `/debs`, `/rpms` and `/pypi`.
  var isOfEarlierVersion: Bool { served == nil }

  /// The version as one part of an address; `nil` when it cannot be one.
  var addressPart: String? { ReleaseAddress.part(of: kubespray) }

  /// A release that is served.
  init(
    id: String, kubespray: String, folder: FilePath, parts: [ServedTree.Part] = [.files],
    files: [String: String], keys: [String: [String]] = [:]
  ) {
    (self.id, self.kubespray, self.files) = (id, kubespray, files)
    path = folder.appending(ServedTree.Part.files.rawValue).string
    (served, repositoryKeys) = (parts, keys)
  }

  /// Where a part of it lies, a path of the host.
  func place(of part: ServedTree.Part) -> FilePath { folder.appending(part.rawValue) }

  /// It with some parts only.
  func with(_ parts: [ServedTree.Part]) -> ServedRelease {
    var release = self
    release.served = parts
    return release
  }

  /// The parts that it has and that are there. What lies beside the files of a bundle that an earlier version has set up was
  /// served then, and so it was found right.
  func partsThere(on host: TargetHost) -> [ServedTree.Part] {
    (served ?? ServedTree.Part.allCases).filter { host.exists(place(of: $0)) }
  }

  /// The repositories whose packages a node that was prepared from another bundle, and knows its keys, refuses.
  func repositoriesRefused(byNodesOf other: ServedRelease) -> [String] {
    keys.keys.sorted().filter { repository in
      guard let known = other.keys[repository], !known.isEmpty, let present = keys[repository] else {
        return false
      }
      return present.isEmpty || !Set(present).isSubset(of: known)
    }
  }
}
