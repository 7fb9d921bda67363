import Bundle
import Integrity
import SystemPackage
import TestSupport

extension TemporaryFolder {
  /// Writes files and gives the manifest of them.
  func manifest(of files: [String: String]) throws -> Manifest {
    for (name, text) in files { try write(text, to: name) }
    return Manifest(
      tool: "test 1", created: "2026-01-01T00:00:00Z", kubespray: "2.30.0", architecture: "amd64",
      stages: [.files],
      files: try files.map { name, text in
        ManifestFile(
          path: try BundlePath(name), size: Int64(text.utf8.count), sha256: Digest(of: Array(text.utf8)),
          url: "https://example.com/\(name)", stage: .files, verification: .tlsOnly)
      })
  }
}
