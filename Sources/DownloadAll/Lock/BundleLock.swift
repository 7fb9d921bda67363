import Bundle
import Files
import FoundationEssentials
import Host
import Integrity
import Kubespray
import Mirrors
import SystemPackage

/// `bundle.lock`: the digests of everything that a run has found upstream, and the answers of the solvers, so that a
/// later run can make the same bundle.
///
/// It is a file to be committed beside the settings: of JSON, in a fixed order, a line a fact. It has no credentials.
struct BundleLock: Sendable, Codable, Equatable {
  /// What kubespray was made of.
  struct Source: Sendable, Codable, Equatable {
    /// The URL, or `local`.
    var origin: String
    /// The digest of the tarball.
    var sha256: Digest
    /// The id that git gives to its files.
    var tree: Digest
    /// The commit, where git fetched it.
    var commit: String?
    /// What names the commit in the settings.
    var reference: String?
  }

  /// A file that came from a URL.
  struct File: Sendable, Codable, Equatable {
    var path: BundlePath
    var url: String
    var sha256: Digest
  }

  /// What the index of a repository of Helm charts said of a chart, which is one of ``files``.
  struct Chart: Sendable, Codable, Equatable {
    var repository: String
    var name: String
    /// The version that is asked for.
    var version: String
    var listing: ChartListing
    var sha256: Digest
  }

  /// An image.
  struct Image: Sendable, Codable, Equatable {
    var reference: ImageReference
    /// What the registry served for it; of one that was assembled here, what the archive holds.
    var digest: Digest
    /// Signatures and what else the registry had about it; absent when it was not asked.
    var attached: [ManifestAttached]?
    /// Whether it was assembled here.
    var isAssembled: Bool?
    /// What it was assembled on; absent in the locks of earlier versions.
    var base: Base?
  }

  /// The image that another one was assembled on.
  struct Base: Sendable, Codable, Equatable {
    var reference: ImageReference
    /// What the registry served for it.
    var digest: Digest
  }

  /// A repository of packages: the question, and the solver's answer.
  struct Mirror: Sendable, Codable, Equatable {
    var asked: [String]
    var files: [Package]
    /// What the index is made of beside the files, line by line.
    var notes: [String: [String]]
    var warnings: [String]
  }

  /// A package of an operating system, or a file for Python.
  struct Package: Sendable, Codable, Equatable {
    /// The path below the folder of the repository.
    var path: String
    var url: String
    /// The digest of the file.
    var sha256: Digest
    /// What the metadata of its repository say of it.
    var size: Int64?
    var listed: Digest?
    var isOptional: Bool?
    var isUnsigned: Bool?
  }

  /// The format that this program reads and writes.
  static let currentFormat = 1
  /// The most bytes that are read of a lock.
  private static let largestFile = 256 << 20

  var format = BundleLock.currentFormat
  /// The version of kubespray.
  var kubespray: String
  var platforms: [String]
  var source: Source
  /// In order of paths.
  var files: [File]
  var charts: [Chart]
  /// In order of references.
  var images: [Image]
  /// By folder in the bundle.
  var mirrors: [String: Mirror]
  /// The packages of the private environment in which Ansible evaluates kubespray; absent where pip reports none.
  var ansible: PinnedPackages?

  /// Reads a lock.
  ///
  /// - Throws: ``LockUnusable``.
  static func load(_ path: FilePath) throws(LockUnusable) -> BundleLock {
    let bytes: [UInt8]
    do {
      guard let found = try readBytes(ifPresent: path, limit: largestFile) else {
        throw LockUnusable(path: path, reason: "there is no such file", isMissing: true)
      }
      bytes = found
    } catch let error as LockUnusable {
      throw error
    } catch {
      throw LockUnusable(path: path, reason: FileError.reason(error))
    }
    do {
      let lock = try JSONDecoder().decode(BundleLock.self, from: Data(bytes))
      guard lock.format == currentFormat else {
        throw LockUnusable(
          path: path, reason: "it has format \(lock.format), and this program knows \(currentFormat)")
      }
      return lock
    } catch let error as LockUnusable {
      throw error
    } catch {
      throw LockUnusable(path: path, reason: "it is not a lock of a bundle (\(error))")
    }
  }

  /// The bytes of its file.
  ///
  /// - Throws: An `EncodingError`.
  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }
}

extension BundleLock.Mirror {
  /// What a solver has decided.
  ///
  /// - Parameter digests: Those of the files that came, by path below the repository; what did not come is left out.
  init(_ resolution: MirrorResolution, asked: [String], digests: [String: Digest]) {
    self.asked = asked
    files = resolution.files.compactMap { file in
      digests[file.path].map { sha256 in
        BundleLock.Package(
          path: file.path, url: hidingCredentials(file.url), sha256: sha256, size: file.size,
          listed: file.digest, isOptional: file.isOptional ? true : nil, isUnsigned: file.isUnsigned)
      }
    }
    notes = resolution.notes.mapValues {
      $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
    warnings = resolution.warnings
  }

  /// What the solver had decided.
  var resolution: MirrorResolution {
    MirrorResolution(
      files: files.map { file in
        MirrorResolution.File(
          path: file.path, url: file.url, size: file.size, digest: file.listed,
          isOptional: file.isOptional ?? false, isUnsigned: file.isUnsigned)
      },
      notes: notes.mapValues { $0.joined(separator: "\n") }, warnings: warnings)
  }
}

/// A lock that cannot be read.
struct LockUnusable: Error, CustomStringConvertible {
  let path: FilePath
  let reason: String
  var isMissing = false

  var description: String { "\(path): \(reason)" }
}
