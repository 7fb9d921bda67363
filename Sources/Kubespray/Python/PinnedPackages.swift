import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// The packages of a Python environment, by version and digest: what another one is made of that is to be the same.
public struct PinnedPackages: Sendable, Codable, Equatable {
  /// One package.
  public struct Package: Sendable, Codable, Equatable {
    /// Its name, as its metadata have it.
    public var name: String
    /// Its version.
    public var version: String
    /// Where pip had it from, without credentials.
    public var url: String
    /// The digest of that file.
    public var sha256: Digest
  }

  /// The Python that it is for, such as `3.11`: wheels with machine code are for one only.
  public var python: String
  /// Whether all of Ansible's collections are among them.
  public var hasFullAnsible: Bool
  /// The packages, in order of names.
  public var packages: [Package]

  /// The lines of a requirements file that pip takes with `--require-hashes`.
  var requirements: String {
    packages.map { "\($0.name)==\($0.version) --hash=sha256:\($0.sha256.hex)\n" }.joined()
  }
}

extension PinnedPackages {
  /// What pip's installation report says (pip's documentation, "Installation Report").
  private struct Report: Decodable {
    struct Item: Decodable {
      struct Metadata: Decodable {
        let name: String
        let version: String
      }
      struct Download: Decodable {
        struct Archive: Decodable {
          let hash: String?
          let hashes: [String: String]?
        }
        let url: String
        let archive: Archive?

        enum CodingKeys: String, CodingKey {
          case url
          case archive = "archive_info"
        }
      }
      let metadata: Metadata
      let download: Download

      enum CodingKeys: String, CodingKey {
        case metadata
        case download = "download_info"
      }
    }
    let install: [Item]
  }

  /// The packages that pip has reported; `nil` when there is no report, or one of them has no digest.
  init?(report: FilePath, python: String, hasFullAnsible: Bool) {
    guard let bytes = try? readBytes(report, limit: 64 << 20),
      let found = try? JSONDecoder().decode(Report.self, from: Data(bytes))
    else { return nil }
    var packages: [Package] = []
    for item in found.install {
      let archive = item.download.archive
      // pip 22.2 has the older form only.
      let older = archive?.hash.flatMap { $0.split(separator: "=").last.map(String.init) }
      guard let hex = archive?.hashes?["sha256"] ?? older,
        let digest = try? Digest(algorithm: .sha256, hex: hex)
      else { return nil }
      packages.append(
        Package(
          name: item.metadata.name, version: item.metadata.version,
          url: hidingCredentials(item.download.url), sha256: digest))
    }
    self.init(
      python: python, hasFullAnsible: hasFullAnsible,
      packages: packages.sorted { $0.name.lowercased() < $1.name.lowercased() })
  }
}
