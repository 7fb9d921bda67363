import SystemPackage

extension ReleaseChainError: Advised {
  var problemKind: String { "configuration" }

  var advice: String? {
    switch self {
    case .twice: "Name each release once."
    case .oneSource: "Put {version} where the source has the version, or name one release."
    case .isBundle: "Name another folder: --outputs bundles"
    case .oneBundle(_, let folders):
      "Name one of them: "
        + folders.map { "--kubespray-version \($0.lastComponent?.string ?? "") --outputs \($0)" }.joined(
          separator: ", or ")
    }
  }
}
