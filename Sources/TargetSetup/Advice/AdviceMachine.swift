import Archive
import Bundle
import Files
import Host
import Integrity
import Settings
import SystemPackage

extension ArchiveError: Advised {
  var problemKind: String {
    switch self {
    case .unreadable, .extractionFailed, .cannotAdd, .writeFailed: "file"
    case .notAnArchive: "not-an-archive"
    case .damaged: "damaged-archive"
    case .unsafeEntry: "unsafe-archive"
    case .tooLarge: "too-large"
    }
  }

  var advice: String? {
    switch self {
    case .unreadable, .extractionFailed, .cannotAdd, .writeFailed: Advice.disk
    case .notAnArchive, .damaged: Advice.recopy
    case .unsafeEntry: "Do not use this archive before you know who made it and why."
    case .tooLarge: "Check that it is the file you meant."
    }
  }
}

extension CommandError: Advised {
  var problemKind: String {
    switch self {
    case .executableNotFound: "program-missing"
    case .startFailed, .outputTooLarge, .failed: "program-failed"
    case .cancelled: "interrupted"
    }
  }

  var advice: String? {
    switch self {
    case .executableNotFound(let name, _): "Install \(name) and run the same command again."
    case .outputTooLarge: "Run it by hand to see what it writes."
    case .startFailed, .failed: nil
    case .cancelled: "Run the same command again."
    }
  }
}

extension OSReleaseError: Advised {
  var problemKind: String { "unknown-system" }
  var advice: String? { "Install the distribution's release package, or make the file readable." }
}

extension FileError: Advised {
  var problemKind: String { code == .noSpace ? "disk-full" : "file" }
  var advice: String? { code == .noSpace ? "Make room on the disk." : Advice.disk }
}

extension FileLockError: Advised {
  var problemKind: String { "locked" }
  var advice: String? { "Wait until it ends, or stop it; the lock goes with it." }
}

extension CopyMismatch: Advised {
  var problemKind: String { "digest-mismatch" }
  var advice: String? { Advice.recopy }
}

extension ConfigurationError: Advised {
  var problemKind: String { "configuration" }
  var advice: String? { nil }
}

extension ManifestError: Advised {
  var problemKind: String { "bundle-manifest" }
  var subject: String? { "\(path)" }
  var fact: String { reason }

  var advice: String? {
    switch kind {
    case .inaccessible: "Check the medium."
    case .otherFormat: "Use the target-setup that lies in the bundle."
    case .malformed: "Copy the bundle again, or make it again with download-all."
    }
  }
}

extension ImageReferenceError: Advised {
  var problemKind: String { "bad-reference" }
  var advice: String? { nil }
}

extension BundlePathError: Advised {
  var problemKind: String { "bad-path" }
  var advice: String? { nil }
}
