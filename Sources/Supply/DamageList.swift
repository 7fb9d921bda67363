import Bundle
import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// The files of a bundle that did not arrive as they were made: what is carried back to where the bundle was made, for a
/// delta that heals it.
public struct DamageList: Sendable, Codable, Equatable {
  /// The format that this program reads and writes.
  public static let currentFormat = 1
  private static let largestFile = 64 << 20

  /// The number of the format.
  public var format = DamageList.currentFormat
  /// The bundle.
  public let bundle: BundleIdentity
  /// The files, in order of their paths.
  public let files: [BundlePath]

  /// A list.
  public init(_ files: [BundlePath], of manifest: Manifest) {
    bundle = BundleIdentity(manifest)
    self.files = files.sorted()
  }

  /// The files that a verification found missing or damaged.
  public init(_ problems: [BundleVerifier.Problem], of manifest: Manifest) {
    let files = problems.compactMap { problem -> BundlePath? in
      switch problem {
      case .missing(let path), .damaged(let path, _): path
      case .unexpected: nil
      }
    }
    self.init(files, of: manifest)
  }

  /// Reads a list.
  ///
  /// - Throws: ``DeltaError`` when it is not one, or `FileError`.
  public init(reading path: FilePath) throws {
    let bytes = try readBytes(path, limit: Self.largestFile)
    guard let list = try? JSONDecoder().decode(DamageList.self, from: Data(bytes)) else {
      throw DeltaError.malformedList(path)
    }
    guard list.format == Self.currentFormat else { throw DeltaError.otherFormat(path, format: list.format) }
    self = list
  }

  /// Writes it.
  ///
  /// - Throws: `FileError`.
  public func write(to path: FilePath) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try writeAtomically(Array(try encoder.encode(self)) + [UInt8(ascii: "\n")], to: path)
  }

  /// Sees that it is about the bundle of a manifest. Errors name `path`, where the list lies.
  ///
  /// - Throws: ``DeltaError/otherList(wanted:found:_:)``.
  public func check(for manifest: Manifest, _ path: FilePath) throws(DeltaError) {
    let wanted = BundleIdentity(manifest)
    guard bundle.isSame(as: wanted) else { throw .otherList(wanted: wanted, found: bundle, path) }
  }
}
