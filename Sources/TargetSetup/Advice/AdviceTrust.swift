extension TrustError: Advised {
  var problemKind: String {
    switch self {
    case .unsigned, .signersGone: "not-signed"
    case .older: "older-bundle"
    case .expired: "expired-bundle"
    case .noManifest: "no-manifest"
    case .foreignFolder: "bundle-settings"
    case .unusable: "trust-file"
    }
  }

  var advice: String? {
    switch self {
    case .unsigned:
      "Get a bundle that is signed with one of these keys. To take this one all the same, pass --allow-unsigned, which is "
        + "written down."
    case .signersGone:
      "Bring the allowed signers back from where you keep them. To go on without, pass --allow-unsigned, which is written "
        + "down."
    case .older, .expired:
      "Make a new bundle. To take this one all the same, pass --allow-older, which is written down."
    case .noManifest:
      "If the shell project has made it, pass --shell-bundle; no file of it can be proved then. Otherwise copy the bundle "
        + "again."
    case .foreignFolder:
      "If you want that, say it yourself: in a file for --config, or in the environment. Otherwise have the bundle signed."
    case .unusable: "Correct it, or bring it back from where you keep it; it is not ignored."
    }
  }
}
