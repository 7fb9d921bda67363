import SystemPackage

/// What helps against a problem of a step. The steps say which advice fits; its words, and the word for scripts, are here.
public enum StepAdvice: Sendable, Equatable {
  /// Something of the bundle is missing or damaged.
  case verify
  /// A file of the bundle has another size, or is gone.
  case recopy
  /// There are files in the bundle's folders that its manifest does not list.
  case removeUnexpected
  /// There is no manifest.
  case finishBundle
  /// The medium cannot be read.
  case medium
  /// Only root may do this; with the command to give, where it is known.
  case asRoot(command: String?)
  /// Another run works on this host.
  case wait
  /// Something on this host stands in the way; undone or not, the same command goes on.
  case again
  /// The same step goes on, and nothing was changed.
  case correctFile
  /// Another step comes first.
  case first(StepName)
  /// A later step uses this one.
  case undoFirst(StepName)
  /// A folder is not ours.
  case moveAway
  /// The web server may not answer, or lack a file.
  case webServer(lacking: String)
  /// A service was started and does not answer.
  case log(command: String)
  /// Somebody else listens on the port of this service.
  case port(service: String)
  /// The disk is too small for the served copy.
  case serveInPlace
  /// The registry or its address is wrong.
  case registryAddress
  /// The CA file is not one.
  case authorityFile
  /// `--bundle` names no folder.
  case bundleFolder
  /// The folder to upload is not one.
  case uploadFolder
  /// The address to upload to is not one.
  case uploadAddress
  /// The bundle lacks something that every bundle has.
  case remake
  /// The bundle has no packages for the release of this host.
  case packageTarget(String)
  /// The bundle has no Python packages.
  case pythonPackages
  /// The bundle does not say which image has Ansible.
  case ansibleImage
  /// The bundle is for another architecture.
  case architecture(String)
  /// The distribution has no Python that could be used.
  case installPython
  /// A program is missing on this host.
  case install(String)
  /// Another folder has the bundle.
  case otherBundleFolder(FilePath)
  /// A command that a person can give to see more.
  case tryCommand(String)
  /// The package manager has reported more.
  case verbose
  /// dockerd takes the registry from its command line.
  case dockerFlag(String)
  /// Containers of others run in the containerd that is to be removed.
  case stopContainers
  /// A file of the folder to upload is missing or is not a file.
  case restore
  /// A file changed while it was sent.
  case resend
  /// A certificate of one's own, its key or its authority is not right.
  case ownCertificate
  /// A login would be readable on the way.
  case loginWantsTLS
  /// The servers speak plain HTTP.
  case switchTLSOn
  /// The servers want no login.
  case switchLoginOn
  /// What the host keeps of its certificates and its login is damaged.
  case brokenStore
  /// A release was named that cannot be dropped.
  case release
  /// This is not the bundle that was set up last, which lies in that folder.
  case lastBundle(String)
  /// A cluster still runs what is to go.
  case upgradeFirst
  /// The cluster cannot be asked.
  case clusterAccess
  /// The pruning was stopped in the middle.
  case pruneAgain
  /// A journal is damaged, so it cannot be followed.
  case damagedJournal(journal: FilePath, backups: FilePath)

  /// A word for scripts, which stays the same from release to release.
  var code: String {
    switch self {
    case .verify, .recopy: "bundle-damaged"
    case .removeUnexpected: "bundle-unexpected"
    case .finishBundle: "unfinished-bundle"
    case .medium: "medium"
    case .asRoot: "root-needed"
    case .wait: "locked"
    case .again, .correctFile, .moveAway: "host"
    case .first, .undoFirst: "step-order"
    case .webServer: "web-server"
    case .log: "service"
    case .port: "port-taken"
    case .serveInPlace: "not-enough-space"
    case .registryAddress, .uploadAddress: "bad-address"
    case .authorityFile: "ca-file"
    case .bundleFolder, .otherBundleFolder, .uploadFolder: "folder"
    case .remake, .packageTarget, .pythonPackages, .ansibleImage, .architecture: "bundle-lacks"
    case .installPython, .install: "program-missing"
    case .tryCommand, .verbose: "program-failed"
    case .dockerFlag, .stopContainers: "host"
    case .resend, .restore: "source"
    case .ownCertificate, .brokenStore: "certificate"
    case .loginWantsTLS, .switchTLSOn, .switchLoginOn: "settings"
    case .release: "release"
    case .lastBundle: "other-bundle"
    case .upgradeFirst: "in-use"
    case .clusterAccess: "cluster"
    case .pruneAgain: "service"
    case .damagedJournal: "journal-damaged"
    }
  }

  /// The sentences for people.
  var sentence: String {
    switch self {
    case .verify: Advice.verify
    case .recopy: Advice.recopy
    case .removeUnexpected:
      "Find out who put it there, and remove it; what is to be in a bundle is added before download-all makes it."
    case .finishBundle:
      "Run download-all to its end and copy the whole folder; --bundle DIR names another one."
    case .medium: "Check the medium."
    case .asRoot(let command?): "Run it as root: sudo sh ./\(command)"
    case .asRoot(nil): "Run the command as root."
    case .wait: "Wait until it ends, then run the command again."
    case .again: Advice.again
    case .correctFile: "Nothing was changed; correct it and run this step again."
    case .first(let step): "Run \"target-setup \(step.rawValue)\" first."
    case .undoFirst(let step): "Undo it first: target-setup undo \(step.rawValue)"
    case .moveAway: "Move it away and run this step again."
    case .webServer(let lacking): "If the web server does not answer, run \"target-setup nginx\"; \(lacking)."
    case .log(let command): "See more with: \(command)"
    case .port(let service): "Stop that, or choose another port: --\(service)-port PORT"
    case .serveInPlace:
      "Make room, choose another folder (target.directory), or serve the bundle where it is: --copy never"
    case .registryAddress: "Start it, or check the address: --registry"
    case .authorityFile: "Name the CA's certificate in the form PEM: --ca-file"
    case .otherBundleFolder(let folder): "Name that one: --bundle \(folder)"
    case .bundleFolder: "Name the folder of the bundle: --bundle DIR"
    case .uploadFolder: "Name a folder that can be read."
    case .uploadAddress: "Write it as https://HOST/PATH, with the name of the repository at its end."
    case .remake: "Make the bundle again with download-all, or copy it again."
    case .packageTarget(let name):
      "Make the bundle with \(name) in packages.targets, or install them by hand."
    case .pythonPackages: "Make the bundle without pypi.skip, or install Ansible by hand."
    case .ansibleImage:
      "Make the bundle with download-all --ansible-in-container, or name one in a file for --config."
    case .architecture(let own):
      "Make one with --architecture \(own), or with linux/\(own) among its --platforms."
    case .installPython:
      "Install Python 3.11 or newer with venv by hand, or run Ansible on another machine."
    case .install(let name): "Install \(name)."
    case .tryCommand(let command): "Try it: \(command)"
    case .verbose: "Look at what the package manager reported (--verbose)."
    case .dockerFlag(let flag): "Add \(flag) there. Nothing was changed."
    case .stopContainers:
      "Stop them first: nerdctl --namespace NAME stop, or ctr --namespace NAME tasks kill"
    case .restore: "Restore or remove it."
    case .resend: "Send it again."
    case .ownCertificate, .loginWantsTLS, .switchTLSOn, .switchLoginOn, .brokenStore: accessSentence
    case .release, .lastBundle, .upgradeFirst, .clusterAccess, .pruneAgain: pruneSentence
    case .damagedJournal(let journal, let backups): Self.damagedJournal(journal, backups)
    }
  }
}

extension StepAdvice {
  private var accessSentence: String {
    switch self {
    case .ownCertificate:
      "Correct access.certificate, access.key or access.authority, and run the same command again. Nothing was changed."
    case .loginWantsTLS: "Set access.tls too (--tls), or leave the login out."
    case .switchTLSOn: "Set access.tls in a file for --config, or give --tls, and run the steps again."
    case .switchLoginOn: "Set access.login in a file for --config, or give --login, and run the steps again."
    default:
      "Put \(AccessStore.folder) back from a backup of this machine. Or move it away and run \"target-setup all\" and the "
        + "playbook offline-repo.yml again: then no node trusts this host until the playbook has run."
    }
  }

  private static func damagedJournal(_ journal: FilePath, _ backups: FilePath) -> String {
    "Nothing was changed, and all that was there before is kept in \(backups). Put \(journal) and \(journal).last back "
      + "from a backup of this machine if there is one. Otherwise put back by hand what you want: each folder there has "
      + "the original in \"content\" and its path in \"path\" (cp -a); then move \(journal) and \(journal).last away."
  }
}

extension StepError: Advised {
  var problemKind: String { kind.code }
  var fact: String { detail }
  var advice: String? { kind.sentence }
}
