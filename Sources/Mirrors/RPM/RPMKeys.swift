import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// The vendors' public keys, which the bundle carries so that nodes can check the signatures of packages.
struct RPMKeys {
  /// The folder for them in the mirror.
  static let folder = "keys"

  /// The repositories that packages come from.
  let repositories: [SolverAnswer.Repository]

  /// Adds the keys to the files of a resolution, and to its notes what an index tells about them.
  ///
  /// `keys`: their paths, one a line. `gpgcheck`: `1` when a key for every package is among them. `unsigned`: the
  /// repositories for which there is none.
  func add(to resolution: inout MirrorResolution) {
    var places: [String: String] = [:]
    var taken: Set<String> = []
    var unsigned: [String] = []
    for repository in repositories {
      var found = 0
      for url in repository.keys {
        if places[url] == nil {
          guard let file = file(url, repository: repository.id, taken: &taken) else {
            resolution.warnings.append(
              "the key \(hidingCredentials(url)) of repository \(repository.id) is not on this host. "
                + "Put the file into keys/ beside its .repo file.")
            continue
          }
          places[url] = file.path
          resolution.files.append(file)
        }
        found += 1
      }
      if !repository.gpgcheck || found == 0 {
        unsigned.append(repository.id)
        resolution.warnings.append(
          "repository \(repository.id) "
            + (repository.gpgcheck ? "has no key (gpgkey)" : "does not ask for signatures (gpgcheck=0)")
            + ", so nodes cannot check the signatures of packages from the bundle.")
      }
    }
    resolution.notes["keys"] = places.values.sorted().joined(separator: "\n")
    resolution.notes["gpgcheck"] = unsigned.isEmpty ? "1" : "0"
    resolution.notes["unsigned"] = unsigned.joined(separator: "\n")
  }

  /// Where a key comes from and is put; `nil` when it should be on this machine and is not.
  private func file(
    _ url: String, repository: String, taken: inout Set<String>
  ) -> MirrorResolution.File? {
    var file = MirrorResolution.File(path: "", url: url)
    if url.hasPrefix("file://") {
      guard let local = URL(string: url)?.path,
        let digest = try? Digest(ofFile: FilePath(local))
      else { return nil }
      file.digest = digest
    }
    let last = url.split(separator: "/").last.map(String.init) ?? ""
    let plain = String(
      last.unicodeScalars.map { scalar in
        let isPlain =
          scalar.isASCII
          && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            || "+-._".unicodeScalars.contains(scalar))
        return Character(isPlain ? scalar : "_")
      })
    let name = plain.hasPrefix("RPM-GPG-KEY") ? plain : "RPM-GPG-KEY-\(repository)-\(plain)"
    var unique = name
    var number = 2
    while !taken.insert(unique.lowercased()).inserted {
      unique = "\(name)-\(number)"
      number += 1
    }
    file.path = "\(Self.folder)/\(unique)"
    return file
  }
}
