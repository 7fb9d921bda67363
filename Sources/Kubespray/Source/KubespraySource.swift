import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// Where kubespray comes from (setting `kubespray.source`).
public enum KubespraySource: Hashable, Sendable {
  /// The tarball that GitHub makes of the version; the caller downloads it.
  case release
  /// A folder of the user's; it is never changed.
  case folder(FilePath)
  /// A tarball on this machine.
  case tarball(FilePath)
  /// A tarball elsewhere; the caller downloads it.
  case download(url: String)
  /// A git repository; the reference is a branch, a tag or a commit, by default that of the version.
  case git(url: String, reference: String?)

  /// Reads the setting.
  ///
  /// - Parameter text: Empty or nil for the release; a path; a URL of a tarball (`http`, `https`, ending in
  ///   `.tar.gz`, `.tgz`, `.tar.xz`, `.tar.zst`, `.tar` or `.zip`); else what git takes, with `#REFERENCE`
  ///   behind it if wanted.
  /// - Throws: ``KubespraySourceError`` when the text is a path and nothing is there.
  public init(_ text: String?) throws(KubespraySourceError) {
    guard let text, !text.isEmpty else {
      self = .release
      return
    }
    let isSSH = text.contains(/^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:/)
    if text.contains("://") || isSSH {
      let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let endings = [".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".tar", ".zip"]
      if parts.count == 1, text.hasPrefix("http"), endings.contains(where: text.hasSuffix) {
        self = .download(url: text)
      } else {
        let reference = parts.count > 1 && !parts[1].isEmpty ? parts[1] : nil
        guard reference?.hasPrefix("-") != true else { throw .badReference(text) }
        self = .git(url: parts[0], reference: reference)
      }
      return
    }
    let path = FilePath(text)
    guard fileExists(path) else { throw .missing(text) }
    self = folderExists(path) ? .folder(path) : .tarball(path)
  }

  /// What the caller must download before the working copy can be made; nil when nothing.
  ///
  /// - Throws: ``KubespraySourceError`` when the version has no public tarball.
  public func downloadURL(for version: KubesprayVersion) throws(KubespraySourceError) -> String? {
    switch self {
    case .release:
      guard let url = version.tarballURL else { throw .noRelease(version) }
      return url
    case .download(let url): return url
    case .folder, .tarball, .git: return nil
    }
  }
}

/// Why there is no kubespray source.
public enum KubespraySourceError: Error, CustomStringConvertible {
  /// Nothing has that path.
  case missing(String)
  /// The version names no public tarball.
  case noRelease(KubesprayVersion)
  /// A git reference that git would take for an option.
  case badReference(String)
  /// The file to unpack has not been downloaded.
  case notDownloaded(url: String)
  /// The file is not a tarball; `found` says what it looks like.
  case notATarball(FilePath, origin: String, found: String)
  /// The repository has no such reference.
  case noReference(String, url: String)
  /// What a server gave for a release are not the files of that release; with the ids of both.
  case otherContent(KubesprayVersion, origin: String, found: Digest, known: Digest)
  /// A patch does not apply.
  case patchFailed(patch: String, output: String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .missing(let path):
      "kubespray is to come from \(path), but nothing is there"
    case .noRelease(let version):
      "kubespray \(version) has no public tarball"
    case .badReference(let text):
      "the source of kubespray \(text) has a reference behind # that begins with a dash"
    case .notDownloaded(let url):
      "\(url) has not been downloaded"
    case .notATarball(let path, let origin, let found):
      "\(origin) gave not a tarball but \(found) (kept as \(path))"
    case .noReference(let reference, let url):
      "\(url) has no branch, tag or commit \(reference)"
    case .otherContent(let version, let origin, let found, let known):
      "\(origin) did not give kubespray \(version): git's id of its files is \(found), that of the release \(known)"
    case .patchFailed(let patch, let output):
      "the patch \(patch) does not apply to this kubespray:\n\(output)"
    }
  }
}
