import Mirrors

extension DebianRepositoryError: Advised {
  var problemKind: String {
    switch self {
    case .noSources, .emptySources, .unreadable, .noPackages, .unsupportedAddress: "package-sources"
    case .unreachable: "package-lists-unreachable"
    case .unknown: "unknown-package"
    case .unsolvable: "unsolvable-package"
    case .undescribed: "unverifiable-package"
    case .missingFile, .noParagraphs: "incomplete-repository"
    }
  }

  var advice: String? {
    switch self {
    case .noSources(let target, _):
      "Write the sources of \(target) into a file and name it in \(Advice.sources(target.name))."
    case .emptySources(_, let target):
      "Write lines such as \"deb URI \(target.codename ?? "SUITE") main\", or deb822 paragraphs."
    case .unreadable: "Check its name in packages.sources and its permissions."
    case .unreachable:
      "Check the network, the proxy in apt's configuration and the address in the apt sources; a missing key is "
        + "named with signed-by."
    case .noPackages(let target, _): "Name sources that have them in \(Advice.sources(target.name))."
    case .unknown: "Correct the list, or add a source that has it."
    case .unsolvable: "Remove it from the list, or add the source of what it needs."
    case .undescribed: "Remove it from the list, or use a source that has one."
    case .unsupportedAddress: "Name sources with such addresses in packages.sources."
    case .missingFile: "Run the same command again; it fetches what is missing."
    case .noParagraphs: "Remove the cache folder and run the same command again."
    }
  }
}

extension RPMRepositoryError: Advised {
  var problemKind: String {
    switch self {
    case .noSources, .noRepositoryFile, .noRepositoryEnabled: "package-sources"
    case .cache: "file"
    case .noSolver: "program-missing"
    case .unknownPackages: "unknown-package"
    case .unsolvable: "unsolvable-package"
    case .repositoryFailed: "package-lists-unreachable"
    case .solverFailed: "program-failed"
    case .missingFile: "incomplete-repository"
    }
  }

  var advice: String? {
    switch self {
    case .noSources(let target):
      "Copy /etc/yum.repos.d of a machine with \(target) to a folder here, its /etc/dnf/vars to vars/ and its "
        + "/etc/pki/rpm-gpg to keys/ in that folder, and name the folder: packages.sources: {\(target): FOLDER}."
    case .noRepositoryFile: "Name a .repo file, or a folder of them, in packages.sources."
    case .cache: "Check its permissions and the room on its disk."
    case .noSolver: "Install them: apt-get install dnf, or dnf install dnf python3-dnf."
    case .noRepositoryEnabled: "Enable one (enabled=1 in its .repo file)."
    case .unknownPackages: "Correct the name, or enable the repository that has it."
    case .unsolvable: "Remove one of them from the lists, or enable the repository that has what is missing."
    case .repositoryFailed: "Check its address and your proxy, or give its .repo file skip_if_unavailable=1."
    case .solverFailed: "Check the .repo files with: dnf repolist."
    case .missingFile: "Run the stage again; it fetches what is missing."
    }
  }
}

extension PythonIndexError: Advised {
  var problemKind: String {
    switch self {
    case .noPythons, .unreadable: "configuration"
    case .unresolvable: "unsolvable-package"
    case .noPip: "program-missing"
    case .notInstalled, .broken, .strangeAnswer: "program-failed"
    case .ambiguous: "collision"
    case .foreign: "incomplete-repository"
    }
  }

  var advice: String? {
    switch self {
    case .noPythons: "Name at least one in pypi.pythons."
    case .unreadable: "Correct pypi.requirements."
    case .unresolvable(_, let files):
      "Correct the requirements\(files.isEmpty ? " (pypi.extra)" : ""), leave that Python out of pypi.pythons, or, if "
        + "pip could not reach its index, correct its configuration (pip config list) or the proxy."
    case .noPip: "Correct pip's configuration (pip config list) or the proxy."
    case .notInstalled: "Make them again: download-all --refresh pypi"
    case .broken: "Remove it (download-all clean --shelf pip) and try again; if it stays so, report it."
    case .strangeAnswer: nil
    case .ambiguous: "Correct the indexes that pip is configured for (pip config list)."
    case .foreign: "Remove the remembered resolution from the cache."
    }
  }
}

extension SigningKeyError: Advised {
  var problemKind: String { "signing-key" }

  var advice: String? {
    switch self {
    case .noFile: "Correct packages.signing_key."
    case .missing:
      "Name a file made by gpg --export-secret-keys, or a key that gpg --list-secret-keys shows, in "
        + "packages.signing_key."
    case .several: "Name one by its fingerprint in packages.signing_key."
    case .cannotSign:
      "A passphrase cannot be asked for here: use a key without one, or one that gpg-agent has open."
    case .cannotMake: "Repair GnuPG on this machine, or name a key in packages.signing_key."
    }
  }
}

extension PackageListError: Advised {
  var problemKind: String { "package-list" }

  var advice: String? {
    switch self {
    case .empty(let folder): "Put one name a line into \(folder)/pkgs.txt."
    case .unreadable: "Correct its permissions, or save it as UTF-8."
    case .badName: "Write one name a line, comments after #."
    }
  }
}

extension NotAsked: Advised {
  var problemKind: String { "offline" }
  var advice: String? { Advice.online }
}

extension UnsupportedTarget: Advised {
  var problemKind: String { "unsupported-release" }

  var advice: String? {
    "Name one of them in packages.targets, or leave the packages out (packages.skip: true)."
  }
}
