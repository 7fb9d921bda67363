extension Configuration {
  /// Every setting, in the order of config/config.yml.
  public static let settings: [ConfigurationSetting] =
    placeSettings + kubespraySettings + hostSettings + versionSettings + registrySettings + targetSettings
    + packageSettings + networkSettings

  private static let placeSettings: [ConfigurationSetting] = [
    .scalar(
      "outputs", \.outputs, .path, environment: ["OUTPUTS_DIR"], flag: "--outputs", travels: false,
      "the folder in which the bundle is built"),
    .scalar(
      "cache", \.cache, .path, environment: ["CACHE_DIR"], flag: "--cache", travels: false,
      "the folder for kubespray trees and what was learned from them"),
    .scalar(
      "architecture", \.architecture, .automatic(or: .architecture), environment: ["IMAGE_ARCH"],
      flag: "--architecture", "the architecture of the target machines"),
    .list(
      "platforms", \.platforms, .machinePlatform, environment: ["PLATFORMS"], flag: "--platforms",
      "the platforms of the target machines, when they are of several; none means that of \"architecture\""),
  ]

  private static let kubespraySettings: [ConfigurationSetting] = [
    .scalar(
      "kubespray.version", \.kubespray.version, .kubesprayVersion, environment: ["KUBESPRAY_VERSION"],
      flag: "--kubespray-version", "which kubespray to prepare"),
    .scalar(
      "kubespray.source", \.kubespray.source, .optional(.line("a folder, a tarball or a git URL")),
      environment: ["KUBESPRAY_SOURCE"], flag: "--kubespray-source", travels: false,
      "where to take kubespray from instead of its public release"),
    .scalar(
      "kubespray.inventory", \.kubespray.inventory, .optional(.path), environment: ["KUBESPRAY_INVENTORY"],
      flag: "--inventory", travels: false, "the inventory whose variables decide what is needed"),
    .table(
      "kubespray.extra_vars", \.kubespray.extraVariables, keys: .variable, values: .any,
      "Ansible variables that win over those of the inventory"),
    .scalar(
      "kubespray.selection", \.kubespray.selection, .choice(), environment: ["KUBESPRAY_SELECTION"],
      flag: "--selection", "carry all that kubespray could use, or only what the inventory enables"),
  ]

  private static let hostSettings: [ConfigurationSetting] = [
    .scalar(
      "python.executable", \.python.executable, .automatic(or: .line("a program or its path")),
      environment: ["PYTHON"], flag: "--python", travels: false, "the Python that runs Ansible here"),
    .scalar(
      "python.ansible_in_container", \.python.ansibleInContainer, .bool,
      environment: ["ansible_in_container"], flag: "--ansible-in-container",
      "carry an image with Ansible, and run it in a container on the target"),
    .scalar(
      "python.ansible_image", \.python.ansibleImage, .automatic(or: .ansibleImage),
      environment: ["ANSIBLE_IMAGE"], flag: "--ansible-image",
      "that image: kubespray's own, another one, or one assembled here"),
    .scalar(
      "python.ansible_base", \.python.ansibleBase, .automatic(or: .image("an image")),
      environment: ["ANSIBLE_BASE_IMAGE"], travels: false, "what an assembled image begins with"),
    .scalar(
      "files.layout", \.files.layout, .automatic(or: .choice()), environment: ["FILES_LAYOUT"],
      flag: "--layout",
      "how files are arranged below outputs/files"),
  ]

  private static let versionSettings: [ConfigurationSetting] = [
    .scalar(
      "versions.runc", \.versions.runc, .automatic(or: .release), environment: ["RUNC_VERSION"],
      "runc on the admin node"),
    .scalar(
      "versions.containerd", \.versions.containerd, .automatic(or: .release),
      environment: ["CONTAINERD_VERSION"], "containerd on the admin node"),
    .scalar(
      "versions.nerdctl", \.versions.nerdctl, .automatic(or: .release), environment: ["NERDCTL_VERSION"],
      "nerdctl on the admin node"),
    .scalar(
      "versions.cni", \.versions.cni, .automatic(or: .release), environment: ["CNI_VERSION"],
      "the CNI plugins on the admin node"),
    .scalar(
      "versions.nginx", \.versions.nginx, .tag, environment: ["NGINX_VERSION"],
      "the tag of the nginx image that serves the bundle"),
    .scalar(
      "versions.registry", \.versions.registry, .tag, environment: ["REGISTRY_VERSION"],
      "the tag of the registry image that serves the images"),
  ]

  private static let registrySettings: [ConfigurationSetting] = [
    .scalar(
      "registry.port", \.registry.port, .integer(1...65535), environment: ["REGISTRY_PORT"],
      flag: "--registry-port",
      "the port of the registry on the admin node"),
    .scalar(
      "registry.bind", \.registry.bind, .optional(.address), environment: ["REGISTRY_BIND"],
      "the address that the registry listens on; empty means all"),
    .scalar(
      "registry.directory", \.registry.directory, .absolutePath, environment: ["REGISTRY_DIR"],
      "the storage folder of the registry on the admin node"),
    .scalar(
      "registry.local", \.registry.local, .optional(.registryAddress),
      environment: ["LOCAL_REGISTRY", "DESTINATION_REGISTRY"],
      flag: "--registry",
      "the registry to push to when it is not the bundle's own"),
    .list(
      "registry.additional", \.registry.additional, .host,
      environment: ["ADDITIONAL_CONTAINER_REGISTRY_LIST"],
      "more registry hosts that are removed from image names"),
    .scalar(
      "images.skip", \.images.skip, .bool, environment: ["SKIP_DOWNLOAD_IMAGES"], flag: "--skip-images",
      "leave out the container images"),
    .scalar(
      "images.from", \.images.from, .optional(.path), environment: ["IMAGES_FROM_FILE"],
      flag: "--images-from",
      travels: false, "a list of images to take instead of kubespray's and those of imagelists/"),
    .scalar(
      "images.from_cluster", \.images.fromCluster, .bool, environment: ["IMAGES_FROM_CLUSTER"],
      flag: "--from-cluster", travels: false, "carry the images of a running cluster too"),
    .scalar(
      "images.kubeconfig", \.images.kubeconfig, .optional(.line("a file")), environment: ["KUBECONFIG"],
      flag: "--kubeconfig", travels: false, "how kubectl finds that cluster"),
    .list(
      "images.platforms", \.images.platforms, .platform, environment: ["IMAGE_PLATFORMS"],
      "the platforms to carry of each image; none means those of the target machines"),
    .list(
      "images.plain_http", \.images.plainHTTP, .host, environment: ["PLAIN_HTTP_REGISTRIES"],
      "registries that are asked without TLS"),
  ]

  private static let packageSettings: [ConfigurationSetting] = [
    .scalar(
      "packages.skip", \.packages.skip, .bool, environment: ["SKIP_PACKAGES"], flag: "--skip-packages",
      "leave out the operating-system packages"),
    .scalar(
      "packages.install", \.packages.install, .bool, environment: ["INSTALL_PACKAGES"],
      flag: "--no-install", travels: false, "install programs that this machine lacks"),
    .list(
      "packages.targets", \.packages.targets, .packageTarget, environment: ["PACKAGE_TARGETS"],
      flag: "--package-targets", "the releases to carry packages for"),
    .scalar(
      "packages.host", \.packages.host, .automatic(or: .release(of: "debian-12 or rocky-9")),
      environment: ["PACKAGE_HOST"], "the release that \"host\" means among the targets"),
    .scalar(
      "packages.lists", \.packages.lists, .path, environment: ["PACKAGE_LISTS"], travels: false,
      "the folder with the lists of packages"),
    .table(
      "packages.sources", \.packages.sources, keys: .release(of: "debian-13 or rocky-9"),
      values: .line("a path"), travels: false, "the package sources of other targets than this machine"),
    .scalar(
      "packages.signing_key", \.packages.signingKey, .optional(.line("a file or the id of a key")),
      environment: ["SIGNING_KEY"], flag: "--signing-key", travels: false,
      "the key that signs the repositories"),
    .scalar(
      "pypi.skip", \.pypi.skip, .bool, environment: ["SKIP_PYPI"], flag: "--skip-pypi",
      "leave out the Python packages"),
    .list(
      "pypi.pythons", \.pypi.pythons, .pythonVersion, environment: ["PYPI_PYTHONS"],
      "the Pythons to carry wheels for; none means those of the targets and 3.11, 3.12, 3.13"),
    .scalar(
      "pypi.source_distributions", \.pypi.sourceDistributions, .bool,
      environment: ["PYPI_SOURCE_DISTRIBUTIONS"], "carry source distributions beside the wheels"),
    .list(
      "pypi.extra", \.pypi.extra, .requirement, environment: ["PYPI_EXTRA"],
      "requirements beside those of kubespray"),
    .list(
      "pypi.requirements", \.pypi.requirements, .line("requirement files"),
      environment: ["PYPI_REQUIREMENTS"], travels: false, "more requirement files"),
    .scalar(
      "refresh_after", \.refreshAfter, .age, environment: ["REFRESH_AFTER"], flag: "--refresh",
      travels: false,
      "how old an answer of a package repository may be; 0s always asks again"),
  ]

  private static let targetSettings: [ConfigurationSetting] = [
    .scalar(
      "nginx.port", \.nginx.port, .integer(1...65535), environment: ["NGINX_PORT"], flag: "--nginx-port",
      "the port of the web server on the admin node"),
    .scalar(
      "nginx.bind", \.nginx.bind, .optional(.address), environment: ["NGINX_BIND"],
      "the address that the web server listens on; empty means all"),
    .scalar(
      "target.address", \.target.address, .automatic(or: .hostAddress), environment: ["TARGET_ADDRESS"],
      flag: "--address",
      "the address by which the nodes reach the admin node"),
    .scalar(
      "target.directory", \.target.directory, .absolutePath, environment: ["TARGET_DIR"],
      "the folder of target-setup's state and of the served copy"),
    .scalar(
      "target.copy", \.target.copy, .choice(), environment: ["TARGET_COPY"], flag: "--copy",
      "serve a copy of the bundle: when it lies on removable media, always, or never"),
    .scalar(
      "target.kubespray_directory", \.target.kubesprayDirectory, .absolutePath,
      environment: ["KUBESPRAY_DIR"], "the folder into which kubespray is extracted"),
    .scalar(
      "target.existing_node", \.target.existingNode, .choice(), environment: ["EXISTING_NODE"],
      flag: "--take-node",
      "leave the containerd of a cluster node alone, or take it over"),
  ]

  private static let networkSettings: [ConfigurationSetting] = [
    .table(
      "mirrors", \.mirrors, keys: .host, values: .baseURL, travels: false,
      "base URLs to fetch from instead of a host"),
    .scalar(
      "proxy.http", \.proxy.http, .optional(.proxy), environment: ["http_proxy", "HTTP_PROXY"],
      travels: false, "the proxy for http URLs"),
    .scalar(
      "proxy.https", \.proxy.https, .optional(.proxy), environment: ["https_proxy", "HTTPS_PROXY"],
      travels: false, "the proxy for https URLs"),
    .scalar(
      "proxy.no", \.proxy.no, .optional(.line("host names separated by commas")),
      environment: ["no_proxy", "NO_PROXY"], travels: false, "hosts to reach without a proxy"),
    .scalar(
      "transfer.parallel", \.transfer.parallel, .integer(1...64), environment: ["PARALLEL"],
      flag: "--parallel", "connections at a time, to all hosts together"),
    .scalar(
      "transfer.per_host", \.transfer.perHost, .integer(1...32), environment: ["PARALLEL_PER_HOST"],
      flag: "--parallel-per-host", "connections at a time to one host"),
    .scalar(
      "transfer.retries", \.transfer.retries, .integer(0...20), environment: ["RETRIES"], flag: "--retries",
      "how often a failed transfer is tried again"),
    .scalar(
      "transfer.connect_timeout", \.transfer.connectTimeout, .seconds(1...600),
      "how long to wait for a connection"),
    .scalar(
      "transfer.stall_timeout", \.transfer.stallTimeout, .seconds(1...3600),
      "how long a transfer may stand without a byte"),
    .scalar(
      "transfer.limit_rate", \.transfer.limitRate, .rate, environment: ["LIMIT_RATE"], flag: "--limit-rate",
      "the most bytes per second of all transfers together"),
  ]
}
