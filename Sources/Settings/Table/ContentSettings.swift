extension SettingSection {
  static let images = Self(
    title: "Images",
    settings: [
      .scalar(
        "images.skip", \.images.skip, .bool, environment: ["SKIP_DOWNLOAD_IMAGES"],
        flag: .on("--skip-images"),
        "Leave out the container images.", "The target may have them already."),
      .scalar(
        "images.from", \.images.from, .optional(.path), environment: ["IMAGES_FROM_FILE"],
        flag: .value("--images-from", .file), scope: .download,
        "A file with one image a line, to take instead of kubespray's images and those of imagelists/*.txt."),
      .scalar(
        "images.from_cluster", \.images.fromCluster, .bool, environment: ["IMAGES_FROM_CLUSTER"],
        flag: .on("--from-cluster"), scope: .download,
        "Carry the images of a running cluster too; kubectl asks the cluster.",
        """
        They are those of its pods, jobs and cronjobs, and the pause and etcd of its nodes. Combined with \
        "from", only that list and the cluster's images are carried.
        """),
      .scalar(
        "images.kubeconfig", \.images.kubeconfig, .optional(.line("a file")), environment: ["KUBECONFIG"],
        flag: .value("--kubeconfig", .file), scope: .download,
        "The kubeconfig by which kubectl finds that cluster.", "Empty leaves the choice to kubectl."),
      .list(
        "images.platforms", \.images.platforms, .platform, environment: ["IMAGE_PLATFORMS"], flag: nil,
        "The platforms to carry of each image, such as linux/arm64.",
        """
        Empty means Linux on the architectures of the target machines. In the environment they are separated by \
        spaces or commas.
        """),
      .list(
        "images.plain_http", \.images.plainHTTP, .host, environment: ["PLAIN_HTTP_REGISTRIES"], flag: nil,
        "Registries (HOST or HOST:PORT) that are asked without TLS.", "All others must have it."),
      .scalar(
        "images.signatures", \.images.signatures, .bool, environment: ["IMAGE_SIGNATURES"], flag: nil,
        scope: .download,
        "Carry signatures, attestations and SBOMs that a registry has about an image.",
        "They are pushed with it, to where cosign, notation and ORAS look for them."),
    ])

  static let packages = Self(
    title: "Operating-system packages",
    settings: [
      .scalar(
        "packages.skip", \.packages.skip, .bool, environment: ["SKIP_PACKAGES"], flag: .on("--skip-packages"),
        "Leave out the operating-system packages.", "The targets may have a mirror already."),
      .scalar(
        "packages.install", \.packages.install, .bool, environment: ["INSTALL_PACKAGES"],
        flag: .sets("--no-install", to: "false", "Install nothing on this machine; report what is missing."),
        scope: .download, "Install the programs that this machine lacks for the job.",
        """
        They come from its own package sources (the stage pkgs). With false the run stops and names the command.
        """),
      .list(
        "packages.targets", \.packages.targets, .packageTarget, environment: ["PACKAGE_TARGETS"],
        flag: .value("--package-targets", "targets"),
        "The releases to carry packages for, such as host,debian-13.",
        """
        "host" is what this machine runs; others are debian-12, ubuntu-24.04, rocky-9 and so on. The packages of the \
        host's release come into debs/local or rpms/local, those of another into debs/NAME or rpms/NAME. In the \
        environment the names are separated by spaces or commas.
        """),
      .scalar(
        "packages.host", \.packages.host, .automatic(or: .release(of: "debian-12 or rocky-9")),
        environment: ["PACKAGE_HOST"], flag: nil, "The release that \"host\" means.",
        """
        "auto" is what this machine runs; name one when it runs a derivative that uses the packages of that release.
        """),
      .scalar(
        "packages.lists", \.packages.lists, .path, environment: ["PACKAGE_LISTS"], flag: nil,
        scope: .download,
        "The folder with the lists of packages: FAMILY/*.txt and FAMILY/VERSION/*.txt."),
      .table(
        "packages.sources", \.packages.sources, keys: .release(of: "debian-13 or rocky-9"),
        values: .line("a path"), flag: nil, scope: .download,
        "Where the packages of other releases than this machine's come from, by release.",
        """
        Each is a file of apt sources, or a .repo file or a folder of them.
          sources:
            ubuntu-24.04: /etc/apt/offline/noble.sources
            rocky-9: config/rocky-9.repo
        """),
      .scalar(
        "packages.signing_key", \.packages.signingKey, .optional(.line("a file or the id of a key")),
        environment: ["SIGNING_KEY"], flag: .value("--signing-key", "file-or-id"), scope: .download,
        "The OpenPGP key that signs the repositories of operating-system packages.",
        """
        It is the file of an exported secret key, or the id of a key of this user's GnuPG. Empty means a key of its own \
        for each repository, which is made here and whose private half is removed when the index is signed.
        """),
    ])

  static let pythonPackages = Self(
    title: "Python packages",
    settings: [
      .scalar(
        "pypi.skip", \.pypi.skip, .bool, environment: ["SKIP_PYPI"], flag: .on("--skip-pypi"),
        "Leave out the Python packages."),
      .list(
        "pypi.pythons", \.pypi.pythons, .pythonVersion, environment: ["PYPI_PYTHONS"], flag: nil,
        "The Pythons to carry wheels for, such as 3.12.",
        "Empty means those of the package targets above, and 3.11, 3.12 and 3.13."),
      .scalar(
        "pypi.source_distributions", \.pypi.sourceDistributions, .bool,
        environment: ["PYPI_SOURCE_DISTRIBUTIONS"], flag: nil,
        "Carry source distributions of the same versions beside the wheels."),
      .list(
        "pypi.extra", \.pypi.extra, .requirement, environment: ["PYPI_EXTRA"], flag: nil,
        "Requirements beside kubespray's requirements.txt, each written without spaces."),
      .list(
        "pypi.requirements", \.pypi.requirements, .line("requirement files"),
        environment: ["PYPI_REQUIREMENTS"], flag: nil, scope: .download, "More requirement files."),
    ])

  static let repositories = Self(
    title: "Answers of package repositories",
    settings: [
      .scalar(
        "refresh_after", \.refreshAfter, .age, environment: ["REFRESH_AFTER"],
        flag: .sets(
          "--refresh", to: "0s", "Ask the package repositories again, however recent their last answer."),
        scope: .download,
        "How long the answer of a package repository is used before the repository is asked again.",
        """
        The answer says which packages there are, in which versions. Write it as 30s, 90m, 24h or 7d; with 0s every run \
        asks again.
        """)
    ])
}
