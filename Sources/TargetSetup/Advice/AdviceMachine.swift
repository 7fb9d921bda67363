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
    case .unreadable, .extractionFailed, .cannotAdd, .writeFailed: Advice.disk
    case .notAnArchive, .damaged: Advice.recopy
    case .unsafeEntry: "Do not use this archive before you know who made it and why."
    case .tooLarge: "Check that it is the file you meant."
    }
  }
}

extension CommandError: Advised {
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
  var advice: String? { "Install the distribution's release package, or make the file readable." }
}

extension FileError: Advised {
  var advice: String? {
    switch code {
    case .noSpace: "Make room on the disk."
    case .noSuchFileOrDirectory: "Check the name: there is nothing of that name."
    default: Advice.disk
    }
  }
}

extension FileLockError: Advised {
  var advice: String? { "Wait until it ends, or stop it; the lock goes with it." }
}

extension CopyMismatch: Advised {
  var advice: String? { Advice.recopy }
}

extension ConfigurationError: Advised {
  var advice: String? { nil }
}

extension ManifestError: Advised {
  var advice: String? {
    switch kind {
    case .inaccessible: "Check the medium."
    case .otherFormat: "Use the target-setup that lies in the bundle."
    case .malformed: "Copy the bundle again, or make it again with download-all."
    }
  }
}

extension ImageReferenceError: Advised {
  var advice: String? { nil }
}

extension BundlePathError: Advised {
  var advice: String? { nil }
}
