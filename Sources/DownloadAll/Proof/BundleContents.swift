import Bundle
import Integrity

/// What a bundle holds, or will hold: the answers that the admin host's servers can give.
struct BundleContents: Sendable {
  /// The files by path; the digest where it is known before anything is fetched.
  private(set) var files: [String: Digest?] = [:]
  /// The images.
  private(set) var images: Set<ImageReference> = []

  /// The content of a finished bundle.
  init(_ files: [ManifestFile]) {
    for file in files {
      self.files[file.path.description] = .some(file.sha256)
      if let image = file.image { images.insert(image.reference) }
    }
  }

  /// What a plan would bring.
  init(_ artifacts: [Artifact]) {
    for artifact in artifacts {
      files[artifact.path.description] = .some(artifact.digest)
      if let image = artifact.pulledImage ?? artifact.assembledImage { images.insert(image) }
    }
  }

  /// The names of the packages in the repository of a release, by the names of their files.
  ///
  /// - Parameter folder: `debs/local`, `rpms/rocky-9`, ...
  func packages(in folder: String) -> Set<String> {
    var names: Set<String> = []
    for path in files.keys where path.hasPrefix(folder + "/") {
      let file = path.split(separator: "/").last ?? ""
      if file.hasSuffix(".deb") {
        names.insert(String(file.prefix { $0 != "_" }))
      } else if file.hasSuffix(".rpm") {
        // NAME-VERSION-RELEASE.ARCH.rpm; a name may have dashes, the other two have none.
        let parts = file.split(separator: "-")
        if parts.count > 2 { names.insert(parts.dropLast(2).joined(separator: "-")) }
      }
    }
    return names
  }
}
