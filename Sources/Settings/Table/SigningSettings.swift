extension SettingSection {
  static let signing = Self(
    title: "The signature of the bundle",
    settings: [
      .scalar(
        "signing.key", \.signing.key, .optional(.path), environment: ["BUNDLE_SIGNING_KEY"],
        flag: .value("--bundle-signing-key", .path), scope: .download,
        "The OpenSSH key that signs the bundle, so that a target can tell whether it was changed on the way.",
        """
        It is the file of an Ed25519 private key, such as "download-all key" makes, or the .pub file of a key that an \
        ssh-agent or a FIDO token holds; then ssh-keygen signs. Empty means not signed; "download-all sign" can do it \
        later, and on another machine.
        """),
      .scalar(
        "signing.expires_after", \.signing.expiresAfter, .integer(0...36_500),
        environment: ["BUNDLE_EXPIRES_AFTER"], flag: nil, scope: .download,
        "After how many days the statement about a bundle ends.",
        "0 means never. A run that finds the bundle unchanged after that time closes it again."),
    ])
}
