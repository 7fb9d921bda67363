import ArgumentParser
import SystemPackage
import TargetSetup

/// Which signatures and which age of a bundle with a manifest are taken.
struct ManifestTrustOptions: ParsableArguments {
  @Option(
    help: .init(
      "The keys that may sign a bundle, in OpenSSH's format, if not those of \(TrustPolicy.defaultSigners).",
      valueName: "file"), completion: .file())
  var allowedSigners: String?

  @Flag(help: "Take a bundle that nobody who may has signed. It is written down.")
  var allowUnsigned = false

  @Flag(help: "Take a bundle that is older than the last one, or has expired. It is written down.")
  var allowOlder = false

  /// The policy that they make, with what else is taken.
  func policy(_ more: TrustExceptions = []) -> TrustPolicy {
    var exceptions = more
    if allowUnsigned { exceptions.insert(.unsigned) }
    if allowOlder { exceptions.insert(.older) }
    return TrustPolicy(signers: allowedSigners.map { FilePath($0) }, exceptions: exceptions)
  }
}

/// Which bundles are taken.
struct TrustOptions: ParsableArguments {
  @OptionGroup var manifest: ManifestTrustOptions

  @Flag(help: "Take a bundle of the shell project, which has no manifest. It is written down.")
  var shellBundle = false

  /// The policy that they make.
  var policy: TrustPolicy { manifest.policy(shellBundle ? .shellBundle : []) }
}
