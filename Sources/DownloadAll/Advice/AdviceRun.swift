import Console
import Kubespray
import Settings

extension NothingToAssemble: Advised {
  var problemKind: String { "configuration" }
  var advice: String? { "Set it to false, or name an image in python.ansible_image (--ansible-image)." }
}

extension NoAnsibleImage: Advised {
  var problemKind: String { "configuration" }

  var advice: String? {
    "Set python.ansible_image (--ansible-image) to \"\(Configuration.Python.assembled)\", which makes one here of this "
      + "kubespray's requirements, or to an image of yours; or set python.ansible_in_container to false."
  }
}

extension AssemblyFailed: Advised {
  var problemKind: String { "assembly" }
  var subject: String? { "\(name)" }
  var fact: String { "cannot be assembled: \(reason)" }

  var advice: String? {
    switch remedy {
    case .sshClient:
      "Carry that, or choose another base in python.ansible_base, such as docker.io/library/python:3.12-bookworm."
    case nil: nil
    }
  }
}

extension PackError: Advised {
  var problemKind: String {
    switch self {
    case .nothingToPack: "unfinished-bundle"
    case .insideBundle, .unusableFolder: "file"
    case .namelessFile: "bad-url"
    case .notEnoughSpace: "not-enough-space"
    }
  }

  var advice: String? {
    switch self {
    case .nothingToPack: "Make them: download-all files images"
    case .insideBundle, .unusableFolder: "Choose another folder: --to DIR"
    case .namelessFile: nil
    case .notEnoughSpace: "Free space, or choose a larger disk: --to DIR"
    }
  }
}

extension NotEnoughSpace: Advised {
  var problemKind: String { "not-enough-space" }
  var subject: String? { "\(folder)" }
  var advice: String? { "Free space, or choose a larger disk with --outputs." }
}

extension UnusableFolder: Advised {
  var problemKind: String { "file" }
  var subject: String? { "\(folder)" }
  var fact: String { "cannot be used: \(reason)" }
  var advice: String? { "Correct it, or choose another folder with \(option)." }
}

extension NotOurs: Advised {
  var problemKind: String { "not-ours" }
  var advice: String? { "Check --cache and --outputs, or remove it yourself." }
}

extension CacheInUse: Advised {
  var problemKind: String { "in-use" }
  var subject: String? { "\(folder)" }
  var fact: String { "is used by another run; nothing was removed" }
  var advice: String? { "Wait until that run ends, or remove single shelves with --shelf." }
}

extension UnfinishedBundle: Advised {
  var problemKind: String { "unfinished-bundle" }
  var advice: String? { "Run download-all to finish it." }
}

extension LocalFileUnusable: Advised {
  var problemKind: String { "file" }
  var advice: String? { "Check both folders, then run the same command again." }
}

extension UnaskedAnswer: Advised {
  var problemKind: String { "bad-answer" }
  var advice: String? { "Use a mirror (mirrors:)." }
}

extension UnprovableBundle: Advised {
  var problemKind: String { "unfinished-bundle" }
  var advice: String? { "Finish it with: download-all \(stages) prove" }
}

extension TravellingProgramError: Advised {
  var problemKind: String { "target-setup-program" }
  var subject: String? { "\(path)" }
  var fact: String { reason }
  var advice: String? { "Build both programs again: scripts/build" }
}

extension PkgsFailed: Advised {
  var problemKind: String {
    switch self {
    case .notAllowed, .stillMissing, .unknownSystem: "program-missing"
    case .failed: "program-failed"
    }
  }

  var advice: String? {
    switch self {
    case .notAllowed(_, let command, _): "Install them with: \(command)"
    case .failed(_, let command): "Install them yourself, then run the same command again: \(command)"
    case .stillMissing: "Put it into the PATH, then run the same command again."
    case .unknownSystem: "Install them by its own means, then run the same command again."
    }
  }
}

extension ScriptsUnusable: Advised {
  var problemKind: String { "target-scripts" }
  var subject: String? { "\(path)" }
  var fact: String { reason }

  var advice: String? {
    "Start the program in the folder of the project, or restore it: git checkout target-scripts"
  }
}

extension URLListError: Advised {
  var problemKind: String { "list" }
  var subject: String? { place }
  var fact: String { reason }

  var advice: String? {
    switch remedy {
    case .oneAlone: "Fetch one of them alone."
    case .withoutFlat: "Fetch one of them alone, or leave out --flat, which keeps hosts and paths apart."
    case .otherFolder: "Choose another folder."
    case nil: "Correct the list."
    }
  }
}

extension ChartError: Advised {
  var problemKind: String { "chart" }
  var advice: String? { cause.flatMap { Problem($0).advice } }
}

extension ClusterError: Advised {
  var problemKind: String {
    if case .noProgram = kind { "program-missing" } else { "cluster" }
  }

  var advice: String? {
    switch kind {
    case .empty: "Check that it is the one you mean: kubectl config current-context, or --kubeconfig FILE"
    case .noProgram: "Install it (Debian, Ubuntu: kubernetes-client), or put kubespray's kubectl into PATH."
    case .failed: "The same command must work in your shell. Name another cluster with --kubeconfig FILE"
    case .badAnswer: "Run it in your shell to see what it writes."
    }
  }
}

extension ImageListError: Advised {
  var problemKind: String { "list" }
  var subject: String? { place }
  var fact: String { reason }
  var advice: String? { "Correct the list." }
}

extension ProofImpossible: Advised {
  var problemKind: String { "unfinished-bundle" }
  var advice: String? { "Make the bundle first: download-all" }
}

extension BundleChanged: Advised {
  var problemKind: String { "locked" }
  var advice: String? { "Run the same command again." }
}
