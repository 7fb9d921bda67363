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
    case .unreadable, .extractionFailed, .writeFailed: Advice.folder
    case .notAnArchive: "Check where the file came from and fetch it again."
    case .damaged: Advice.refetch
    case .unsafeEntry: "Do not use this archive before you know who made it and why."
    case .tooLarge: "Check that it is the file you meant."
    case .cannotAdd: "Remove it, or move what it points at into the folder."
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
    case .cancelled: Advice.again
    }
  }
}

extension OSReleaseError: Advised {
  var problemKind: String { "unknown-system" }
  var advice: String? { "Install the distribution's release package, or make the file readable." }
}

extension FileError: Advised {
  var problemKind: String { code == .noSpace ? "disk-full" : "file" }
  var advice: String? { code == .noSpace ? "Make room on the disk." : Advice.folder }
}

extension FileLockError: Advised {
  var problemKind: String { "locked" }
  var advice: String? { "Wait until it ends, or stop it; the lock goes with it." }
}

extension CopyMismatch: Advised {
  var problemKind: String { "digest-mismatch" }
  var advice: String? { "Replace it by the right file." }
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
    case .inaccessible: Advice.folder
    case .otherFormat: "Use the version that wrote it."
    case .malformed: "Remove it and run download-all again: the files of the bundle stay."
    }
  }
}

extension ArtifactCollision: Advised {
  var problemKind: String { "collision" }
  var advice: String? { "Set files.layout: original, which keeps hosts and paths apart." }
}

extension ImageNameCollision: Advised {
  var problemKind: String { "collision" }

  var advice: String? {
    switch place {
    case .archive: "Remove one of them."
    case .pushName: "Remove one of them, or its registry from registry.additional."
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
