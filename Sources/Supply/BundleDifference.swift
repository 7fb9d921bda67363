import Bundle
import Integrity

/// What one bundle has that the one before it has not, by kind and component, with versions and sizes.
///
/// `BundleComparison` asks whether two bundles that should be the same are; this one expects them to differ.
public struct BundleDifference: Sendable, Encodable {
  /// What a file is.
  public enum Kind: String, Sendable, Encodable, CaseIterable {
    /// kubespray's source.
    case kubespray
    /// A file that kubespray downloads.
    case file
    /// A container image.
    case image
    /// A package of an operating system.
    case package
    /// A Python package.
    case python
    /// Indexes, scripts, settings, the program: what was made here.
    case other
  }

  /// What happened to it.
  public enum What: String, Sendable, Encodable, CaseIterable {
    case added, removed, changed
  }

  /// A file in one of the bundles.
  public struct Side: Sendable, Encodable, Equatable {
    /// Its path.
    public let path: String
    /// Its version, if its name tells one.
    public let version: String?
    /// Its size in bytes.
    public let size: Int64
    /// Its digest.
    public let sha256: Digest
  }

  /// One change.
  public struct Change: Sendable, Encodable, Equatable {
    /// What the file is.
    public let kind: Kind
    /// What people call it.
    public let component: String
    /// What happened.
    public let what: What
    /// As it was; absent for what was added.
    public let old: Side?
    /// As it is; absent for what was removed.
    public let new: Side?
  }

  /// How much there is of a kind.
  public struct Total: Sendable, Encodable, Equatable {
    /// The kind.
    public let kind: Kind
    /// How many files were added.
    public let added: Int
    /// How many were removed.
    public let removed: Int
    /// How many have another content.
    public let changed: Int
    /// How many are as they were.
    public let same: Int
    /// The bytes of what was added or changed, in the new bundle.
    public let newBytes: Int64
    /// The bytes of what was removed or changed, in the old bundle.
    public let oldBytes: Int64
  }

  /// The bundle before.
  public let old: BundleIdentity
  /// The bundle after it.
  public let new: BundleIdentity
  /// What changed: by kind, then by component.
  public let changes: [Change]
  /// The sums, of each kind that there is.
  public let totals: [Total]

  /// Compares two manifests.
  public init(from old: Manifest, to new: Manifest) {
    self.old = BundleIdentity(old)
    self.new = BundleIdentity(new)
    let pairs = Pairs(old.files, new.files)
    let order = Dictionary(uniqueKeysWithValues: Kind.allCases.enumerated().map { ($1, $0) })
    changes = Self.changes(pairs).sorted { one, other in
      (order[one.kind] ?? 0, one.component, one.new?.path ?? one.old?.path ?? "")
        < (order[other.kind] ?? 0, other.component, other.new?.path ?? other.old?.path ?? "")
    }
    totals = Self.totals(changes, new.files)
  }

  /// A file, and what it is called.
  private struct Named {
    let file: ManifestFile
    let kind: Kind
    let name: ContentName

    init(_ file: ManifestFile) {
      self.file = file
      kind = BundleDifference.kind(file)
      name = ContentName(file)
    }

    var key: String { "\(kind.rawValue) \(name.key)" }
    var side: Side {
      Side(path: file.path.description, version: name.version, size: file.size, sha256: file.sha256)
    }

    func change(_ what: What, _ old: Side?, _ new: Side?) -> Change {
      // What is made here is called by its place.
      let component = kind == .other ? file.path.description : name.component
      return Change(kind: kind, component: component, what: what, old: old, new: new)
    }
  }

  private static func kind(_ file: ManifestFile) -> Kind {
    let path = file.path.description
    if file.image != nil { return .image }
    switch file.stage {
    case .kubespray where path.hasPrefix("files/"): return .kubespray
    case .files where path.hasPrefix("files/") && file.url != nil: return .file
    case .repo where path.hasSuffix(".deb") || path.hasSuffix(".rpm"): return .package
    case .pypi where path.hasPrefix("pypi/files/"): return .python
    default: return .other
    }
  }

  /// Pairs of one path first; of the rest, pairs of one component where each side has just one of it.
  private static func changes(_ pairs: Pairs) -> [Change] {
    var changes = pairs.kept.filter { $0.old.sha256 != $0.new.sha256 }.map { old, new in
      Named(new).change(.changed, Named(old).side, Named(new).side)
    }
    let gone = Dictionary(grouping: pairs.gone.map { Named($0) }, by: \.key)
    let come = Dictionary(grouping: pairs.come.map { Named($0) }, by: \.key)
    for (key, new) in come {
      if let old = gone[key], old.count == 1, new.count == 1 {
        changes.append(new[0].change(.changed, old[0].side, new[0].side))
      } else {
        changes += new.map { $0.change(.added, nil, $0.side) }
      }
    }
    for (key, old) in gone where old.count != 1 || come[key]?.count != 1 {
      changes += old.map { $0.change(.removed, $0.side, nil) }
    }
    return changes
  }

  private static func totals(_ changes: [Change], _ after: [ManifestFile]) -> [Total] {
    var present: [Kind: Int] = [:]
    for file in after { present[kind(file), default: 0] += 1 }
    return Kind.allCases.compactMap { kind in
      let mine = changes.filter { $0.kind == kind }
      func count(_ what: What) -> Int { mine.count { $0.what == what } }
      let now = present[kind] ?? 0
      guard !mine.isEmpty || now > 0 else { return nil }
      return Total(
        kind: kind, added: count(.added), removed: count(.removed), changed: count(.changed),
        same: now - count(.added) - count(.changed), newBytes: mine.byteSum { $0.new?.size ?? 0 },
        oldBytes: mine.byteSum { $0.old?.size ?? 0 })
    }
  }
}

/// The files of two bundles by their paths; of those that are the same in both nothing is kept.
private struct Pairs {
  /// Those with one path in both that differ.
  private(set) var kept: [(old: ManifestFile, new: ManifestFile)] = []
  /// Those whose path only the first has.
  private(set) var gone: [ManifestFile] = []
  /// Those whose path only the second has.
  private(set) var come: [ManifestFile] = []

  init(_ old: [ManifestFile], _ new: [ManifestFile]) {
    // Both are in order of paths. Where they were not, pairs would be found below.
    var (left, right) = (0, 0)
    while left < old.count || right < new.count {
      if right == new.count || (left < old.count && old[left].path < new[right].path) {
        gone.append(old[left])
        left += 1
      } else if left == old.count || new[right].path < old[left].path {
        come.append(new[right])
        right += 1
      } else {
        if old[left].sha256 != new[right].sha256 { kept.append((old[left], new[right])) }
        left += 1
        right += 1
      }
    }
    pairOtherSpellings()
  }

  /// What is one path to Swift and not to the system: two spellings of an accented letter.
  private mutating func pairOtherSpellings() {
    let places = Dictionary(gone.map { ($0.path, $0) }) { first, _ in first }
    let pairs = come.compactMap { new in places[new.path].map { (old: $0, new: new) } }
    guard !pairs.isEmpty else { return }
    let paths = Set(pairs.map(\.new.path))
    kept += pairs
    gone.removeAll { paths.contains($0.path) }
    come.removeAll { paths.contains($0.path) }
  }
}
