import Bundle
import Files
import Host
import Integrity
import SystemPackage

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

extension ArrivedBundle {
  /// A bundle whose manifest lists what is in a folder now.
  static func intact(_ folder: FilePath) -> ArrivedBundle {
    ArrivedBundle(folder, manifest: .describing(folder))
  }
}
