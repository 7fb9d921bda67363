import ArgumentParser
import Console
import DownloadAll

/// Prints the script that proves a bundle before anything of it runs.
struct VerifyBundleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-bundle", abstract: "Print the script that proves a bundle on the other side.",
    discussion: """
      A bundle cannot prove itself: what would do so comes with it. This script is
      to come on another way, with the keys that may sign (allowed_signers). It
      copies the manifest, its signatures and target-setup to a local disk, checks
      the copies with ssh-keygen and sha256sum, and runs the copy. Its own SHA-256
      goes to standard error, to be written down.

        download-all verify-bundle >verify-bundle
        sh verify-bundle /media/usb all       on the machine without internet
      """)

  func run() {
    Terminal.write(VerifyBundleScript.text)
    Terminal.writeError("sha256  \(VerifyBundleScript.sha256)\n")
  }
}
