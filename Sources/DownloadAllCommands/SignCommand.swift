import ArgumentParser
import Bundle
import CommandSupport
import Console
import DownloadAll
import Files
import Settings
import SystemPackage

/// Signs a finished bundle.
struct SignCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign", abstract: "Sign a finished bundle, on this machine or on a third one.",
    discussion: """
      Signs the bytes of bundle.json, which has the digest of every file, in the
      format of OpenSSH's ssh-keygen -Y sign. The signature is bundle.json.sig;
      where another key has signed already, it is bundle.json.sig.2 and so on.

      FILE is an Ed25519 private key, such as download-all key makes, or the .pub
      file of a key that an ssh-agent holds. It may be the key file of a FIDO
      token (ssh-keygen -t ed25519-sk): touch the token when it blinks. A
      passphrase or PIN is asked for on the terminal. Without --key it is that of
      the setting signing.key.

      The signature says what you say: run download-all verify first, and
      download-all compare where somebody else has built the same bundle.

      Anybody can check it without this program:
        ssh-keygen -Y verify -f allowed_signers -I NAME \\
          -n kubespray-offline-bundle -s bundle.json.sig < bundle.json
        sha256sum -c SHA256SUMS
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Option(help: .init("The key to sign with.", valueName: "file"), completion: .file())
  var key: String?

  func run() async throws {
    let configuration = try settings.resolve()
    let console = output.console()
    guard let path = key.map({ FilePath($0) }) ?? configuration.signing.key else {
      throw ValidationError(
        "no key is named: give --key FILE, or set signing.key. To make one: download-all key")
    }
    let signer = try BundleSigner(path)
    for release in try ReleaseChain(configuration).configurations {
      try await sign(release.outputs, with: signer, console)
    }
  }

  private func sign(_ outputs: FilePath, with signer: BundleSigner, _ console: Console) async throws {
    let result = try await Interruption.watching(console) {
      try await BundleSigning.sign(outputs, with: signer) { console.emit(.message(.info, $0, stage: nil)) }
    }
    if output.json { return try printJSON(result) }
    let what =
      "\(outputs.appending(result.file)) (\(counted(result.files, "file")), sequence \(result.sequence)"
      + (result.expires.map { ", expires \($0)" } ?? "") + ")"
    console.finish(
      result.isNew
        ? "\(result.fingerprint) has signed: \(what)" : "\(result.fingerprint) had signed already: \(what)")
  }
}
