import ArgumentParser
import Console
import DownloadAll
import Files
import SystemPackage

/// Prints the script that proves a bundle before anything of it runs.
struct VerifyBundleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-bundle", abstract: "Print the script that proves a bundle on the other side.",
    discussion: """
      A bundle cannot prove itself: what would do so comes with it. This script is
      to come on another way, with the keys that may sign (allowed_signers). It
      copies the manifest, its signatures and target-setup to a local disk, checks
      the copies with ssh-keygen and sha256sum, and runs the copy. Its own SHA-256
      goes to standard error, to be written down; that of each version of this
      program is in docs/reference/verify-bundle.sha256 too.

        download-all verify-bundle >verify-bundle
        sh verify-bundle /media/usb all       on the machine without internet

      With --to it is written to a folder, to be published: verify-bundle, and
      verify-bundle.sha256 for sha256sum -c.
      """)

  @Option(help: .init("Write it to this folder.", valueName: "folder"), completion: .directory)
  var to: String?

  func run() throws {
    if let to {
      let folder = FilePath(to)
      try createDirectories(folder)
      try writeAtomically(
        VerifyBundleScript.text, to: folder.appending(VerifyBundleScript.name),
        permissions: [.publicFile, .ownerExecute, .groupExecute, .otherExecute])
      try writeAtomically(
        VerifyBundleScript.checksumLine, to: folder.appending("\(VerifyBundleScript.name).sha256"))
    } else {
      Terminal.write(VerifyBundleScript.text)
    }
    Terminal.writeError("sha256  \(VerifyBundleScript.sha256)\n")
  }
}
