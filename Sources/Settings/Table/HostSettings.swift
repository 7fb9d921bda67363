extension SettingSection {
  static let versions = Self(
    title: "Versions on the admin host",
    settings: [
      .scalar(
        "versions.runc", \.versions.runc, .automatic(or: .release), environment: ["RUNC_VERSION"], flag: nil,
        "The version of runc on the admin host.",
        "\"auto\", here and below, is the version that this kubespray installs on its nodes: almost always right."
      ),
      .scalar(
        "versions.containerd", \.versions.containerd, .automatic(or: .release),
        environment: ["CONTAINERD_VERSION"], flag: nil, "The version of containerd on the admin host."),
      .scalar(
        "versions.nerdctl", \.versions.nerdctl, .automatic(or: .release), environment: ["NERDCTL_VERSION"],
        flag: nil,
        "The version of nerdctl on the admin host."),
      .scalar(
        "versions.cni", \.versions.cni, .automatic(or: .release), environment: ["CNI_VERSION"], flag: nil,
        "The version of the CNI plugins on the admin host."),
      .scalar(
        "versions.nginx", \.versions.nginx, .tag, environment: ["NGINX_VERSION"], flag: nil,
        "The tag of the nginx image that serves the bundle."),
      .scalar(
        "versions.registry", \.versions.registry, .tag, environment: ["REGISTRY_VERSION"], flag: nil,
        "The tag of the registry image that serves the images."),
    ])

  static let registry = Self(
    title: "The registry on the admin host",
    settings: [
      .scalar(
        "registry.port", \.registry.port, .integer(1...65535), environment: ["REGISTRY_PORT"],
        flag: .value("--registry-port", "port"), scope: .target, "The TCP port of the bundle's own registry."),
      .scalar(
        "registry.bind", \.registry.bind, .optional(.address), environment: ["REGISTRY_BIND"], flag: nil,
        scope: .target,
        "The address that the registry listens on.", "Empty means all."),
      .scalar(
        "registry.directory", \.registry.directory, .absolutePath, environment: ["REGISTRY_DIR"], flag: nil,
        scope: .target, "The storage folder of the registry on the admin host, an absolute path."),
      .scalar(
        "registry.writable", \.registry.writable, .bool, environment: ["REGISTRY_WRITABLE"], flag: nil,
        scope: .target, "Whether the network may push to the registry and delete from it, without a login.",
        """
        False lets the nodes read alone: target-setup puts images straight into the storage folder. True is for those \
        who push other images from elsewhere; then any machine that reaches the port can replace what nodes install.
        """),
      .scalar(
        "registry.local", \.registry.local, .optional(.registryAddress),
        environment: ["LOCAL_REGISTRY", "DESTINATION_REGISTRY"], flag: .value("--registry", "registry"),
        scope: .target,
        "The registry of load-push and registry-client, HOST[:PORT][/PATH], if it is not the bundle's own.",
        """
        Empty means the bundle's own, localhost:35000 (the port above). DESTINATION_REGISTRY is the name of this \
        setting in kubespray's contrib/offline.
        """),
      .list(
        "registry.additional", \.registry.additional, .host,
        environment: ["ADDITIONAL_CONTAINER_REGISTRY_LIST"], flag: nil, scope: .target,
        "More registry hosts to remove from image names when images are pushed.",
        """
        Always removed are registry.k8s.io, k8s.gcr.io, gcr.io, ghcr.io, docker.io and quay.io. In the environment \
        the hosts are separated by spaces or commas.
        """),
      .list(
        "registry.own", \.registry.own, .host, environment: ["REGISTRY_OWN"], flag: nil, scope: .target,
        "Registries of your own network that containerd on the nodes asks itself, HOST[:PORT].",
        """
        offline.yml sends containerd to the bundle's registry for every other one, so that nobody else is ever asked. \
        Those that speak plain HTTP stand in images.plain_http too.
        """),
    ])

  static let admin = Self(
    title: "The admin host",
    settings: [
      .scalar(
        "nginx.port", \.nginx.port, .integer(1...65535), environment: ["NGINX_PORT"],
        flag: .value("--nginx-port", "port"), scope: .target, "The TCP port of the web server.",
        "With access.tls, 80 means 443."),
      .scalar(
        "nginx.bind", \.nginx.bind, .optional(.address), environment: ["NGINX_BIND"], flag: nil,
        scope: .target,
        "The address that the web server listens on.", "Empty means all."),
      .scalar(
        "target.address", \.target.address, .automatic(or: .hostAddress), environment: ["TARGET_ADDRESS"],
        flag: .value("--address", "host"), scope: .target,
        "The address by which the nodes reach the admin host.",
        """
        It goes into offline.yml and into package sources. "auto" is the address from which the default route starts.
        """),
      .scalar(
        "target.directory", \.target.directory, .absolutePath, environment: ["TARGET_DIR"], flag: nil,
        scope: .target,
        "The folder of target-setup's journal, backups and served copy, an absolute path."),
      .scalar(
        "target.copy", \.target.copy, .choice(), environment: ["TARGET_COPY"],
        flag: .value("--copy", "when"), scope: .target,
        "Whether the web server serves a copy of the bundle: auto, always or never.",
        """
        "auto" copies what lies on removable or FAT media, "always" copies, "never" serves the bundle where it is.
        """),
      .scalar(
        "target.kubespray_directory", \.target.kubesprayDirectory, .absolutePath,
        environment: ["KUBESPRAY_DIR"], flag: nil, scope: .target,
        "The folder into which kubespray is extracted, as kubespray-VERSION."),
      .scalar(
        "target.inventory_directory", \.target.inventoryDirectory, .absolutePath,
        environment: ["INVENTORY_DIR"], flag: nil, scope: .target,
        "The folder of your inventory, which all releases of kubespray use.",
        "What belongs to one release, offline.yml, lies in the tree of that release."),
      .scalar(
        "target.existing_node", \.target.existingNode, .choice(), environment: ["EXISTING_NODE"],
        flag: .sets(
          "--take-node", to: "take", "Replace the containerd of a machine that is a cluster node already."),
        scope: .target, "What becomes of the containerd of a machine that is a cluster node already.",
        "\"refuse\" leaves it alone, \"take\" replaces it, and undo brings it back."),
    ])
}
