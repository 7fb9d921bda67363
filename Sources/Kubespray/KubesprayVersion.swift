/// Which kubespray is meant: a release, a branch, a commit, or a tree that the user gave.
///
/// The text decides, as in the shell project's get-kubespray.sh: digits and dots are a release, 7 to 40
/// hexadecimal digits a commit, anything else that git allows as a branch name is a branch.
public struct KubesprayVersion: Hashable, Sendable, CustomStringConvertible {
  /// What kind of name the text is.
  public enum Kind: String, Sendable, Codable {
    /// A published version, such as `2.30.0` (git tag `v2.30.0`).
    case release
    /// A branch, such as `master` or `release-2.30`.
    case branch
    /// 7 to 40 hexadecimal digits of a commit.
    case commit
    /// A tree of the user's own; the text is what that tree says of itself.
    case tree
  }

  /// What kind of name ``name`` is.
  public let kind: Kind
  /// The version without a leading `v`: `2.30.0`, `master`, `46dbdd3`.
  public let name: String

  /// Parses the setting `kubespray.version`.
  ///
  /// - Throws: ``KubesprayVersionError`` when the text is none of the four kinds.
  public init(_ text: String) throws(KubesprayVersionError) {
    guard !text.isEmpty else { throw .empty }
    if let release = Self.release(text) {
      self.init(kind: .release, name: release)
    } else if (7...40).contains(text.utf8.count), text.utf8.allSatisfy(Self.isHexadecimal) {
      self.init(kind: .commit, name: text.lowercased())
    } else if Self.isBranch(text) {
      self.init(kind: .branch, name: text)
    } else {
      throw .malformed(text)
    }
  }

  /// The version of a tree given by the user, from what the tree says (``KubesprayTree/declaredVersion``).
  ///
  /// - Throws: ``KubesprayVersionError`` when the text cannot be part of a file name.
  public init(tree text: String) throws(KubesprayVersionError) {
    let name = Self.release(text) ?? text
    guard Self.release(name) != nil || Self.isBranch(name) else { throw .malformed(text) }
    self.init(kind: .tree, name: name)
  }

  private init(kind: Kind, name: String) {
    self.kind = kind
    self.name = name
  }

  /// The version as it appears in file names; a branch's slashes become dashes.
  public var fileName: String { String(name.map { $0 == "/" ? "-" : $0 }) }

  /// The name of the tarball in outputs/files, the shell project's own: `kubespray-2.30.0.tar.gz`.
  public var tarballName: String { "kubespray-\(fileName).tar.gz" }

  /// The folder inside the tarball and the working copy's name: `kubespray-2.30.0`.
  public var folderName: String { "kubespray-\(fileName)" }

  /// What git calls it: the tag of a release, else the name itself.
  public var gitReference: String { kind == .release ? "v\(name)" : name }

  /// The tarball that GitHub makes of it; no git is needed to fetch it. A user's own tree has none.
  public var tarballURL: String? {
    let archive = "https://github.com/kubernetes-sigs/kubespray/archive"
    switch kind {
    case .release: return "\(archive)/refs/tags/v\(name).tar.gz"
    case .branch: return "\(archive)/refs/heads/\(name).tar.gz"
    case .commit: return "\(archive)/\(name).tar.gz"
    case .tree: return nil
    }
  }

  /// The image with Ansible that kubespray publishes for a release (its README, "Usage"); branches and commits have
  /// none, a user's own tree that of the release that it says it is.
  public var publishedImage: String? {
    guard kind == .release || kind == .tree && Self.release(name) != nil else { return nil }
    return "quay.io/kubespray/kubespray:v\(name)"
  }

  /// The three numbers of a release, to compare releases by; `nil` for anything else. A release candidate has those of
  /// its release.
  public var releaseNumbers: [Int]? {
    guard kind == .release else { return nil }
    return name.prefix { $0 != "-" }.split(separator: ".").map { Int($0) ?? Int.max }
  }

  /// The version as the user would write it.
  public var description: String { name }

  /// `2.30.0` of `2.30.0` and `v2.30.0`; nil for anything but three dotted numbers with an optional suffix
  /// such as `-rc1`.
  private static func release(_ text: String) -> String? {
    let bare = text.first == "v" ? String(text.dropFirst()) : text
    let parts = bare.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let numbers = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    guard numbers.count == 3, numbers.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }) else {
      return nil
    }
    if parts.count == 2, parts[1].isEmpty || !parts[1].utf8.allSatisfy({ isAlphanumeric($0) || $0 == 0x2E }) {
      return nil
    }
    return bare
  }

  /// A branch name that is also safe in URLs and file names (a subset of git-check-ref-format); a bare number
  /// such as `2.30` is more likely a mistyped release.
  private static func isBranch(_ text: String) -> Bool {
    guard text.utf8.count <= 100, let first = text.utf8.first, isAlphanumeric(first) || first == 0x5F else {
      return false
    }
    let isNumber = text.drop { $0 == "v" }.utf8.allSatisfy { isDigit($0) || $0 == 0x2E }
    let hasOddPart = text.split(separator: "/", omittingEmptySubsequences: false).contains {
      $0.isEmpty || $0.first == "." || $0.last == "." || $0.hasSuffix(".lock")
    }
    return !isNumber && !hasOddPart && !text.contains("..") && text.last != "-"
      && text.utf8.allSatisfy { isAlphanumeric($0) || "-_./".utf8.contains($0) }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    isDigit(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    isDigit(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
  }
}

/// Why a text is not a kubespray version.
public enum KubesprayVersionError: Error, Equatable, CustomStringConvertible {
  /// There is no text.
  case empty
  /// The text is neither a release, a branch nor a commit.
  case malformed(String)

  /// A sentence for people.
  public var description: String {
    let examples =
      "a release such as 2.30.0, a branch such as master or release-2.30, or 7 to 40 digits of a commit"
    return switch self {
    case .empty: "the kubespray version is empty; it must be \(examples)"
    case .malformed(let text): "\"\(text)\" is not a kubespray version; it must be \(examples)"
    }
  }
}
