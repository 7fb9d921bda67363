import Archive
import Bundle
import Diagnosis
import Files
import Host
import Integrity
import Settings
import SystemPackage

extension ArchiveError: Advised {
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
  var advice: String? { "Install the distribution's release package, or make the file readable." }
}

extension FileError: Advised {
  var advice: String? {
    switch code {
    case .noSpace: "Make room on the disk."
    case .noSuchFileOrDirectory: "Check the name: there is nothing of that name."
    default: Advice.folder
    }
  }
}

extension TextEncodingError: Advised {
  var problemKind: String { "file" }
  var subject: String? { "\(path)" }
  var fact: String { reason }
  var advice: String? { "Save it as UTF-8." }
}

extension FileLockError: Advised {
  var advice: String? { "Wait until it ends, or stop it; the lock goes with it." }
}

extension CopyMismatch: Advised {
  var advice: String? { "Replace it by the right file." }
}

extension ConfigurationError: Advised {
  var advice: String? { nil }
}

extension ManifestError: Advised {
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

  var advice: String? { "Remove one of them, or its registry from registry.additional." }
}

extension ImageReferenceError: Advised {
  var advice: String? { nil }
}

extension BundlePathError: Advised {
  var advice: String? { nil }
}
