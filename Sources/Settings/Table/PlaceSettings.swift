extension SettingSection {
  static let places = Self(
    title: "Where things go",
    settings: [
      .scalar(
        "outputs", \.outputs, .path, environment: ["OUTPUTS_DIR"], flag: .value("--outputs", .folder),
        scope: .download,
        "The folder in which the bundle is built.", "This folder is what you carry to the target."),
      .scalar(
        "cache", \.cache, .path, environment: ["CACHE_DIR"], flag: .value("--cache", .folder),
        scope: .download,
        "The folder for everything that can be made again.",
        """
        It holds kubespray trees, the Python environment and what was learned from them. It is safe to delete; the \
        next run then takes longer.
        """),
      .scalar(
        "lock", \.lock, .path, environment: ["BUNDLE_LOCK"], flag: .value("--lock", .path), scope: .download,
        "The file with the digests of all that a run found upstream, to be kept with your settings.",
        """
        A complete run of all stages writes it: kubespray's source, files, images, charts, packages, what the solvers \
        chose. It holds no credentials.
        """),
      .scalar(
        "locked", \.locked, .bool, environment: ["BUNDLE_LOCKED"], flag: .on("--locked"), scope: .download,
        "Make the bundle of the lock again, or report what upstream no longer has.",
        """
        No tag and no solver is asked: images come by digest, packages by the URL and digest of the lock. A setting \
        that asks for something else is an error.
        """),
      .scalar(
        "architecture", \.architecture, .automatic(or: .architecture), environment: ["IMAGE_ARCH"],
        flag: .value("--architecture", "arch"), "The architecture of the target machines: amd64 or arm64.",
        "\"auto\" is that of this machine."),
      .list(
        "platforms", \.platforms, .machinePlatform, environment: ["PLATFORMS"],
        flag: .value("--platforms", "platforms"),
        "The platforms of the target machines when there are several: linux/amd64,linux/arm64.",
        """
        Files, images, Python and operating-system packages are then carried for each. The first one is the main one, \
        unless "architecture" names the other. Empty means the one of "architecture".
        """),
    ])

  static let kubespray = Self(
    title: "Kubespray",
    settings: [
      .scalar(
        "kubespray.version", \.kubespray.version, .kubesprayVersion, environment: ["KUBESPRAY_VERSION"],
        flag: .value("--kubespray-version", "version"),
        "The kubespray to prepare: a release (2.30.0), latest, master, a branch (release-2.30) or a commit hash.",
        """
        Several, with commas between them, make a bundle each, outputs/VERSION/; what they share lies on the disk once.
        """),
      .scalar(
        "kubespray.source", \.kubespray.source, .optional(.line("a folder, a tarball or a git URL")),
        environment: ["KUBESPRAY_SOURCE"], flag: .value("--kubespray-source", "where"), scope: .download,
        "A folder, a tarball or a git URL to take kubespray from.",
        """
        Use it for a kubespray that you changed or that GitHub does not have; {version} in it stands for the version. Empty \
        means the public release.
        """
      ),
      .scalar(
        "kubespray.inventory", \.kubespray.inventory, .optional(.path), environment: ["KUBESPRAY_INVENTORY"],
        flag: .value("--inventory", short: "i", .path), scope: .download,
        "The inventory of your cluster: the file or folder that you give to ansible-playbook -i.",
        """
        Its group variables decide which versions and add-ons are needed. Empty means kubespray's own defaults.
        """),
      .extraVariables(
        "kubespray.extra_vars",
        flag: .entries(
          "--extra-vars", short: "e",
          "Ansible variables that win over the inventory, as ansible-playbook takes them: NAME=VALUE words, a mapping in "
            + "JSON or YAML, or @FILE; may be repeated."),
        scope: .download,
        "Ansible variables that win over those of the inventory, such as \"kube_version: 1.33.5\".",
        "They stay on this machine, since they may hold passwords: give them to ansible-playbook on the target again."
      ),
      .scalar(
        "kubespray.selection", \.kubespray.selection, .choice(), environment: ["KUBESPRAY_SELECTION"],
        flag: .value("--selection", "what"),
        "How much is carried: all that this kubespray could use, or enabled.",
        "\"enabled\" carries only what a cluster of your inventory will use."),
      .scalar(
        "kubespray.strict", \.kubespray.strict, .bool, environment: ["KUBESPRAY_STRICT"],
        flag: .on("--strict"), scope: .download,
        "Fail when something cannot be had that only roles and charts name.",
        """
        What kubespray's own lists have, and what a cluster of your inventory will use, must always be there. Without \
        this, the rest (the drivers of clouds, say) is left out where its host does not answer; the run and the proof \
        name for which choices the bundle is then not enough.
        """),
    ])

  static let ansible = Self(
    title: "Ansible on this machine",
    settings: [
      .scalar(
        "python.executable", \.python.executable, .automatic(or: .line("a program or its path")),
        environment: ["PYTHON"], flag: .value("--python", "program"), scope: .download,
        "The Python that runs Ansible here.", "\"auto\" takes one that this kubespray's Ansible accepts."),
      .scalar(
        "python.ansible_in_container", \.python.ansibleInContainer, .bool,
        environment: ["ansible_in_container"], flag: .on("--ansible-in-container"),
        "Carry a container image with Ansible, and run Ansible in it on the target.",
        """
        The image has this kubespray's requirements, and the target (ansible-container.sh) then needs no Python. On \
        this machine the catalog is evaluated in a virtual environment either way.
        """),
      .scalar(
        "python.ansible_image", \.python.ansibleImage, .automatic(or: .ansibleImage),
        environment: ["ANSIBLE_IMAGE"], flag: .value("--ansible-image", "image"),
        "The image with Ansible: auto, a reference, or assembled.",
        """
        "auto" is the one that kubespray publishes for its release, quay.io/kubespray/kubespray:vVERSION; a reference \
        names another one; "assembled" makes one here of ansible_base and the wheels in the bundle, without a \
        container engine.
        """),
      .scalar(
        "python.ansible_base", \.python.ansibleBase, .automatic(or: .image("an image")),
        environment: ["ANSIBLE_BASE_IMAGE"], flag: nil, scope: .download,
        "The image that an assembled one begins with.",
        """
        It must have a Python that this kubespray's Ansible accepts, glibc, and an ssh client unless the bundle \
        carries packages for its release of Debian or Ubuntu. "auto" is docker.io/library/python:3.12, in its slim \
        form where the bundle has packages for its Debian.
        """),
    ])

  static let files = Self(
    title: "Files",
    settings: [
      .scalar(
        "files.layout", \.files.layout, .automatic(or: .choice()), environment: ["FILES_LAYOUT"],
        flag: .value("--layout", "name"),
        "The folders below outputs/files: kubespray-offline, or original (host/path).",
        """
        "kubespray-offline" sorts by component and version; "original" is HOST/PATH of the URL and is needed for \
        several architectures in one bundle. "auto" is original where "platforms" names several, else \
        kubespray-offline.
        """)
    ])
}
