/// What a note of a journal is about. The texts are those in journals on the disk: undo reads what earlier versions
/// have written, so none of them changes.
enum NoteKind: String, Sendable, CaseIterable {
  /// What had to be said explicitly so that the bundle was taken, with the bundle's id.
  case allowed
  /// A package that came new; `target-setup undo` removes it.
  case package
  /// The packages of such notes whose installation has come to its end, with blanks between.
  case installedPackages = "packages-installed"
  /// A service that was set up; the value is its name.
  case service
  /// An image that was brought into containerd.
  case image
  /// What a container is made of, as a fingerprint.
  case container
  /// A port that was opened in firewalld, with its options.
  case firewallPort = "firewall-port"
  /// What was installed of the container runtime, as a fingerprint.
  case runtime = "installed"
  /// Whether another containerd ran before.
  case earlierRuntime = "before"
  /// The storage folder of the registry, when it was empty before.
  case storage
  /// The registry that images were put into.
  case pushed
  /// The repositories of the registry that a bundle filled, with blanks between, as far as no earlier note names them.
  case repositories
  /// An archive without a manifest, with the name and digest that its image got in the registry.
  case archive
  /// The folder of the operator's inventory, which was not there before.
  case inventory
  /// Whether a running dockerd has read its file since it was written.
  case dockerReload = "docker"
  /// A registry that was added to Docker's file.
  case dockerRegistry = "docker-registry"
  /// The version of Ansible that runs.
  case ansibleVersion = "version"
  /// The server from which the host's package clients were seen to work.
  case packageServer = "package-server"
  /// What was copied of `files` to be served, as a fingerprint; "in place" before it when the bundle's own is served.
  case servedFiles = "served-files"
  /// The same of `debs`.
  case servedDebs = "served-debs"
  /// The same of `rpms`.
  case servedRpms = "served-rpms"
  /// The same of `pypi`.
  case servedPypi = "served-pypi"
  /// What was pruned: time, release, bytes and path or words, with tabs between.
  case pruned

  /// Whether it is written down before something of the host is changed that is no file of the journal.
  var announcesChange: Bool {
    switch self {
    case .package, .service, .image, .firewallPort, .storage, .pushed, .dockerReload, .dockerRegistry,
      .inventory, .pruned:
      true
    case .allowed, .installedPackages, .container, .runtime, .earlierRuntime, .repositories, .archive,
      .ansibleVersion,
      .packageServer, .servedFiles, .servedDebs, .servedRpms, .servedPypi:
      false
    }
  }
}
