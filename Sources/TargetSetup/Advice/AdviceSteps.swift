extension DamagedBundle: Advised {
  var problemKind: String { "bundle-damaged" }

  var advice: String? {
    "Copy them again from where the bundle was made, and remove what was not in it."
  }
}

extension NoPackagesForRelease: Advised {
  var problemKind: String { "bundle-lacks" }
  var advice: String? { "Make a bundle with \(name) in packages.targets." }
}

extension PackagesNotInstalled: Advised {
  var problemKind: String { "unsolvable-package" }

  var advice: String? {
    "Run \"target-setup offline-repo\" first; if a package is not in the bundle, add it to pkglist/ and make the bundle "
      + "again."
  }
}

extension ExtractionError: Advised {
  var problemKind: String {
    switch self {
    case .noTarball, .notKubespray: "bundle-lacks"
    case .patchFailed: "patch"
    case .inTheWay: "host"
    }
  }

  var advice: String? {
    switch self {
    case .noTarball: "Copy the bundle again, or make it again with download-all."
    case .notKubespray: "Make the bundle again with download-all."
    case .patchFailed: "Correct the patch, or remove it from the bundle."
    case .inTheWay(let path, _):
      "It may hold an inventory of yours, so it stays as it is: move it away (mv \(path) \(path).old) and run this step "
        + "again."
    }
  }
}
