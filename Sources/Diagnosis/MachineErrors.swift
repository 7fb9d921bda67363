import Archive
import Bundle
import Files
import Host
import Integrity
import Settings
import SystemPackage

// What kind of problem each of these is: a word that stays the same from release to release, in both programs. What to
// do next differs between a machine with internet and one without, so each program has advice of its own.

extension ArchiveError {
  /// The kind of problem.
  public var problemKind: String {
    switch self {
    case .unreadable, .extractionFailed, .cannotAdd, .writeFailed: "file"
    case .notAnArchive: "not-an-archive"
    case .damaged: "damaged-archive"
    case .unsafeEntry: "unsafe-archive"
    case .tooLarge: "too-large"
    }
  }
}

extension CommandError {
  /// The kind of problem.
  public var problemKind: String {
    switch self {
    case .executableNotFound: "program-missing"
    case .startFailed, .outputTooLarge, .failed: "program-failed"
    case .cancelled: "interrupted"
    }
  }
}

extension OSReleaseError {
  /// The kind of problem.
  public var problemKind: String { "unknown-system" }
}

extension FileError {
  /// The kind of problem.
  public var problemKind: String { code == .noSpace ? "disk-full" : "file" }
}

extension FileLockError {
  /// The kind of problem.
  public var problemKind: String { "locked" }
}

extension CopyMismatch {
  /// The kind of problem.
  public var problemKind: String { "digest-mismatch" }
}

extension ConfigurationError {
  /// The kind of problem.
  public var problemKind: String { "configuration" }
}

extension ManifestError {
  /// The kind of problem.
  public var problemKind: String { "bundle-manifest" }
  /// What it happened to.
  public var subject: String? { "\(path)" }
  /// What went wrong.
  public var fact: String { reason }
}

extension ImageReferenceError {
  /// The kind of problem.
  public var problemKind: String { "bad-reference" }
}

extension BundlePathError {
  /// The kind of problem.
  public var problemKind: String { "bad-path" }
}
