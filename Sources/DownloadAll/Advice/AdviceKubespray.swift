import Host
import Kubespray

extension KubespraySourceError: Advised {
  var problemKind: String { "kubespray-source" }

  var advice: String? {
    switch self {
    case .missing: "Name a folder, a tarball or a git URL in kubespray.source."
    case .noRelease: "Set kubespray.source."
    case .badReference: "Name a branch, tag or commit in kubespray.source."
    case .notDownloaded: "Run the stage kubespray with network access."
    case .notATarball:
      "Check kubespray.version, kubespray.source and whether a proxy answers in place of the server."
    case .noReference: "Check kubespray.version and kubespray.source."
    case .otherContent:
      "Nothing of it was run. Find out who answers in place of the server: compare with another network, or give a "
        + "tarball that you trust as kubespray.source."
    case .patchFailed: "Correct it, or remove it when this version already has the change."
    }
  }
}

extension KubesprayTreeError: Advised {
  var problemKind: String { "kubespray-tree" }

  var advice: String? {
    switch self {
    case .missing: "Check kubespray.source."
    case .notKubespray: "Check kubespray.source and kubespray.version."
    case .unreadable: "Check its permissions."
    }
  }
}

extension KubesprayVersionError: Advised {
  var problemKind: String { "configuration" }
  var advice: String? { "Correct kubespray.version." }
}

extension FileLayoutError: Advised {
  var problemKind: String {
    if case .collision = self { "collision" } else { "files-layout" }
  }

  var advice: String? {
    switch self {
    case .notAFile, .templateMismatch: "Check the URL overrides of the inventory."
    case .notPortable: "Choose the other files.layout or override the URL in the inventory."
    case .collision: "Set files.layout to original, which keeps the whole URL as path."
    }
  }
}

extension PythonEnvironmentError: Advised {
  var problemKind: String { "python" }

  var advice: String? {
    switch self {
    case .noPython(let minors, _, let family):
      "Install one, for instance: \(Self.install(minors.upperBound - 1, family)), or name one in the setting "
        + "python.executable."
    case .incomplete(_, let minor, let family): "Install them: \(Self.install(minor, family))."
    case .notPython: "Name another in the setting python.executable, or use auto."
    case .installFailed, .programFails:
      "Check the network, the proxy and pip's configuration (pip config list)."
    case .otherPython:
      "Name such a Python in the setting python.executable, or make another lock without --locked."
    case .fullAnsibleNotPinned: "Make another lock: run without --locked."
    case .notMade: Advice.online
    case .noRequirements: "Check that the kubespray tree is complete."
    }
  }

  private static func install(_ minor: Int, _ family: OSRelease.Family?) -> String {
    switch family {
    case .redHat: "dnf install python3.\(minor) python3.\(minor)-pip"
    default: "apt-get install python3.\(minor) python3.\(minor)-venv (or python3 python3-venv)"
    }
  }
}

extension CatalogError: Advised {
  var problemKind: String { "catalog" }

  var advice: String? {
    switch self {
    case .evaluationFailed where isAboutVault:
      "Give the password as ansible-playbook takes it: set ANSIBLE_VAULT_PASSWORD_FILE to a file that has it."
    case .evaluationFailed where unknownVersion?.hasPrefix("v") == true:
      "Write versions without \"v\", as this kubespray does: kube_version: 1.33.7, not v1.33.7."
    case .evaluationFailed where unknownVersion != nil:
      "This kubespray has no entry for \(unknownVersion ?? ""): correct the version (kube_version or the component's), or use a "
        + "kubespray that knows it (--kubespray-version)."
    case .evaluationFailed(_, let closed) where !closed.isEmpty:
      "Check the inventory and the extra variables. These files are encrypted and were left out, since nothing opens "
        + "them: \(closed.joined(separator: ", ")). Set ANSIBLE_VAULT_PASSWORD_FILE if they are needed."
    case .evaluationFailed: "Check the inventory and the extra variables."
    case .otherArchitectures(_, let given, _) where given.keys.contains(where: { !Self.isCarried($0) }):
      "Correct image_arch: kubespray's words are amd64 and arm64, and bundles are made for these."
    case .otherArchitectures(_, let given, let isMixed) where isMixed || given.count > 1:
      "Name all architectures of the cluster in the setting \"platforms\": platforms: [linux/amd64, linux/arm64]"
    case .otherArchitectures(let wanted, _, _) where wanted.count > 1:
      "Remove image_arch from the inventory and from kubespray.extra_vars: each node knows its own, and \"platforms\" "
        + "says which there are."
    case .otherArchitectures(_, let given, _):
      "Make the bundle for that architecture (--architecture \(given.keys.first ?? "")), or correct image_arch."
    case .badImageBases, .offlineEnvironment:
      "Correct it. If it is the address of the machines without internet, take the offline.yml that sets it out of this "
        + "inventory: the bundle brings its own."
    case .missing(_, nil): "Correct kubespray.inventory (--inventory)."
    case .missing: "Correct the path, or leave it out."
    case .noList: "Check that the tree is complete."
    case .noHosts:
      "Add the cluster's hosts, or configure no inventory to use kubespray's defaults. In a folder, Ansible with "
        + "kubespray's settings passes over files that end in .ini: name the file itself."
    case .unusablePath: "Rename the file."
    case .unreadableResult: nil
    }
  }
}

extension CatalogError {
  /// Whether bundles are made for an architecture, by kubespray's word for it.
  private static func isCarried(_ architecture: String) -> Bool { ["amd64", "arm64"].contains(architecture) }
}

extension CatalogJoiningError: Advised {
  var problemKind: String { "catalog" }
  var advice: String? { "Make the inventory the same for both, or make a bundle for each." }
}
