import Bundle
import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// What a person has added to a bundle beside what kubespray and the lists want. The bundle carries the list, so that the
/// next run keeps what is in it.
public struct Additions: Sendable, Codable, Equatable {
  /// What can be added.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    case image, package, file
  }

  /// Something that was added.
  public struct Entry: Sendable, Codable, Equatable {
    /// What it is.
    public let kind: Kind
    /// The full name of an image, the name of a package, or the URL of a file.
    public let name: String
    /// The digest that a file must have; `nil` when none was given.
    public let sha256: Digest?
    /// The files of the bundle that came with it; none for what the bundle had already, and for packages.
    public var paths: [String]
  }

  /// Its name in `outputs/`.
  public static let fileName = "additions.json"

  /// The number of the format.
  private var format = 1
  /// What was added, in this order.
  public internal(set) var entries: [Entry] = []

  /// Nothing.
  init() {}

  /// The list that lies in a bundle; empty when there is none.
  ///
  /// - Throws: ``AdditionError``.
  public init(in outputs: FilePath) throws(AdditionError) {
    let path = outputs.appending(Self.fileName)
    do {
      guard let bytes = try readBytes(ifPresent: path, limit: 16 << 20) else { return }
      self = try JSONDecoder().decode(Additions.self, from: Data(bytes))
    } catch {
      throw .unreadable(path)
    }
    guard format == 1 else { throw .unreadable(path) }
  }

  /// The entries of a kind.
  func entries(of kind: Kind) -> [Entry] { entries.filter { $0.kind == kind } }

  /// Puts an entry in the place of one of that name, or at the end.
  mutating func put(_ entry: Entry) {
    if let index = entries.firstIndex(where: { $0.kind == entry.kind && $0.name == entry.name }) {
      entries[index] = entry
    } else {
      entries.append(entry)
    }
  }

  /// The list as a file of the bundle; an empty one is none.
  ///
  /// - Throws: `EncodingError`, or ``BundlePathError``, never for this name.
  func artifacts() throws -> [Artifact] {
    guard !entries.isEmpty else { return [] }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return [
      Artifact(
        path: try BundlePath(Self.fileName), source: .generated(Array(try encoder.encode(self)) + [10]),
        stage: .scripts, verification: .generated)
    ]
  }
}

/// Why something was not added to a bundle, or not taken out.
public enum AdditionError: Error, Equatable, CustomStringConvertible {
  /// There is no bundle.
  case noBundle(FilePath)
  /// The list in the bundle cannot be read.
  case unreadable(FilePath)
  /// It was not added.
  case unknown(kind: Additions.Kind, name: String, outputs: FilePath)
  /// The bundle has another file at its place.
  case collision(url: String, path: String, other: String)
  /// Packages are left out of the bundle.
  case noPackages
  /// That is not the name of a package.
  case notAPackage(String)

  /// What went wrong.
  public var description: String {
    switch self {
    case .noBundle(let outputs): "there is no bundle in \(outputs)"
    case .unreadable(let path): "\(path) cannot be read"
    case .unknown(let kind, let name, let outputs): "the \(kind.rawValue) \(name) was not added to \(outputs)"
    case .collision(let url, let path, let other): "\(url) would be \(path), which is \(other)"
    case .noPackages: "packages.skip leaves packages out of the bundle"
    case .notAPackage(let name): "\"\(name)\" is not the name of a package"
    }
  }
}

extension AdditionError: Advised {
  var problemKind: String {
    switch self {
    case .noBundle: "unfinished-bundle"
    case .unreadable, .unknown, .notAPackage: "list"
    case .collision: "collision"
    case .noPackages: "configuration"
    }
  }

  var advice: String? {
    switch self {
    case .noBundle: "Make it first: download-all. Or name its folder: --outputs DIR"
    case .unreadable: "Bring it back from a copy of the bundle, or remove it."
    case .unknown: "See what was added: download-all add"
    case .collision: "Take that out first, or set files.layout to \"original\" and make the bundle again."
    case .noPackages: "Set it to false, and give: download-all repo"
    case .notAPackage: "Give the name alone, without a version."
    }
  }
}
