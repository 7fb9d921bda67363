import Bundle
import Files
import Host
import Integrity
import SystemPackage
import TestSupport

@testable import TargetSetup

extension Manifest {
  /// What a manifest says of a folder as it is now, with a right digest for every file; links are left out.
  static func describing(_ bundle: FilePath) -> Manifest {
    let paths = (try? BundleTree.files(below: bundle)) ?? []
    return Manifest(
      tool: "test", created: "2026-01-01T00:00:00Z", kubespray: "2.30.0",
      architecture: Architecture.current.rawValue,
      stages: [.files],
      files: paths.compactMap { name in
        let place = bundle.pushing(FilePath(name))
        guard name != fileName, FileInfo(regularFile: place) != nil, let path = try? BundlePath(name),
          let bytes = try? readBytes(place)
        else { return nil }
        return ManifestFile(
          path: path, size: Int64(bytes.count), sha256: Digest(of: bytes), url: nil, stage: .files,
          verification: .generated)
      })
  }
}

/// Puts the files of a signed package repository into a bundle; a folder such as `debs/local` or `rpms/rocky-9`.
func putRepository(_ folder: String, in bundle: FilePath, architectures: [String] = []) throws {
  let place = bundle.pushing(FilePath(folder))
  guard folder.hasPrefix("debs/") else {
    for name in ["repodata/repomd.xml", "repodata/repomd.xml.asc", "keys/RPM-GPG-KEY-kubespray-offline"] {
      try put("", at: place.pushing(FilePath(name)))
    }
    try put(
      #"{"gpgcheck": false, "keys": [], "repositoryKey": "keys/RPM-GPG-KEY-kubespray-offline"}"#,
      at: place.pushing("keys/signatures.json"))
    return
  }
  try put("", at: place.appending("kubespray-offline.asc"))
  for index in [place] + architectures.map({ place.appending($0) }) {
    for name in ["Packages", "InRelease", "Release.gpg"] { try put("", at: index.appending(name)) }
  }
}

extension ArrivedBundle {
  /// A bundle whose manifest lists what is in a folder now.
  static func intact(_ folder: FilePath) -> ArrivedBundle {
    ArrivedBundle(folder, manifest: .describing(folder))
  }
}
