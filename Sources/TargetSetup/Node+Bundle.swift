import Bundle
import Console
import Host
import Settings
import SystemPackage

/// What several steps ask about the bundle, and where they put what they make of it.
extension Node {
  /// What the bundle's offline.yml has to say of this node.
  var offlineSettings: OfflineSettings {
    let registry = configuration.registry.local
    let host = registry?.split(separator: "/").first.map(String.init)
    return OfflineSettings(
      host: address, server: webServer, registryPort: configuration.registry.port, registry: registry,
      registryIsPlain: host.map(configuration.images.plainHTTP.contains) ?? false)
  }

  /// The web server as this host's own package managers shall know it: by the same address as on all other nodes,
  /// unless it listens on another one.
  var packageServer: String { configuration.nginx.bind == nil ? webServer : localWebServer }

  /// The package repositories in the bundle.
  var repositories: BundleRepositories {
    BundleRepositories(bundle: bundle, host: configuration.packages.host)
  }

  /// The package manager of this host; `nil` when it is neither apt nor dnf.
  var packages: NodePackages? {
    BundleRepositories.Kind(system.family).map { kind in NodePackages(run: { try await run($0) }, kind: kind)
    }
  }

  /// The Python of this host that can run kubespray's Ansible.
  func python() async throws -> NodePython? {
    let choice = NodePython.choice(for: system).map { [$0.minor] } ?? []
    return try await NodePython.find(minors: choice + [13, 12, 11].filter { !choice.contains($0) }) {
      try await run($0)
    }
  }

  /// What of the bundle the kubespray tree is made of.
  ///
  /// - Throws: ``ExtractionError``, or an error of reading a file.
  func treeSource() throws -> TreeSource {
    try TreeSource(
      bundle: bundle, version: configuration.kubespray.version, settings: offlineSettings,
      repositories: repositories, shell: shell, stripped: configuration.registry.stripped)
  }

  /// The folder of the kubespray tree.
  func kubesprayTree(_ source: TreeSource) -> FilePath {
    configuration.target.kubesprayDirectory.appending("kubespray-\(source.version)")
  }

  /// The folder of the virtual environment with its Ansible.
  func ansibleEnvironment(_ source: TreeSource) -> FilePath {
    configuration.target.kubesprayDirectory.appending("kubespray-\(source.version)-venv")
  }

  /// Options that make pip use the bundle's index and no other.
  var pipOptions: [String] {
    [
      "--index-url", "\(packageServer)/pypi/", "--trusted-host",
      RepositoryFiles(server: packageServer).authority,
    ]
  }

  /// What of the environment and of users' settings could lead pip elsewhere is taken away.
  var pipEnvironment: [String: String?] {
    [
      "PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": nil, "PIP_EXTRA_INDEX_URL": nil, "PIP_FIND_LINKS": nil,
      "PIP_NO_INDEX": nil, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": nil, "PIP_PROXY": nil,
      "PYTHONHOME": nil,
      "PYTHONPATH": nil, "http_proxy": nil, "HTTP_PROXY": nil, "all_proxy": nil, "ALL_PROXY": nil,
    ]
  }

  /// Removes the packages that a step brought, as its journal tells.
  func removeNotedPackages(_ journal: Journal, step: StepName) async throws {
    let names = Set(journal.notes("package")).sorted()
    guard !names.isEmpty, let packages else { return }
    guard let reason = try await packages.remove(names) else { return }
    let list = names.joined(separator: " ")
    say(.warning, "left installed, because the package manager refused: \(list)\n\(reason)", step: step)
  }
}
