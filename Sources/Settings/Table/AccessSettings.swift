import SystemPackage

extension SettingSection {
  /// Who may ask the servers of the admin host, and how a client knows them.
  static let access = Self(
    title: "TLS and login of the admin host's servers",
    settings: [
      .scalar(
        "access.tls", \.access.tls, .automatic(or: .bool), environment: ["ACCESS_TLS"],
        flag: .sets("--tls", to: "true", "Serve over TLS, and not without it."), scope: .target,
        "Whether the web server and the registry speak TLS, and nothing else.",
        """
        The certificate comes from an authority that target-setup makes on the admin host; offline.yml and the playbook \
        offline-repo.yml bring it to the nodes. False is plain HTTP: nothing can expire, and whoever can change packets \
        on the way can change images. "auto" is what this host has: plain HTTP on a new one, and TLS once it was set \
        up with it.
        """),
      .scalar(
        "access.login", \.access.login, .automatic(or: .bool), environment: ["ACCESS_LOGIN"],
        flag: .sets("--login", to: "true", "Let nobody in without the login that is made here; needs --tls."),
        scope: .target, "Whether the web server and the registry want a login.",
        """
        Needs access.tls. "auto" is what this host has, and no login on a new one. "target-setup login" shows it; offline-login.yml beside offline.yml brings it to the nodes.
        """),
      .list(
        "access.names", \.access.names, .hostAddress, environment: ["ACCESS_NAMES"], flag: nil,
        scope: .target, "Further addresses and names that the certificate is to be for.",
        "Those of this machine are in it anyway."),
      .scalar(
        "access.certificate", \.access.certificate, .optional(.absolutePath),
        environment: ["ACCESS_CERTIFICATE"], flag: nil, scope: .target,
        "A certificate of your own, with its chain, in the form PEM, instead of one that is made here.",
        "A file of the admin host. It needs the next two, and is checked before anything is changed."),
      .scalar(
        "access.key", \.access.key, .optional(.absolutePath), environment: ["ACCESS_KEY"],
        flag: nil, scope: .target, "The private key of that certificate, in the form PEM, without a password."
      ),
      .scalar(
        "access.authority", \.access.authority, .optional(.absolutePath),
        environment: ["ACCESS_AUTHORITY"], flag: nil, scope: .target,
        "The certificate of the authority by which clients believe it, in the form PEM."),
    ])
}
