import ArgumentParser
import CommandSupport
import Console
import DownloadAll
import Files
import SystemPackage

/// Makes a key for signing bundles.
struct KeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key", abstract: "Make a key for signing bundles, and print its fingerprint.",
    discussion: """
      Makes an Ed25519 key pair of OpenSSH: FILE, which only you can read, and
      FILE.pub. No file is replaced. The private key has no passphrase; to give it
      one: ssh-keygen -p -f FILE. A key of ssh-keygen -t ed25519, also one with a
      passphrase or in a FIDO token, does as well.

      Keep FILE off the medium that carries the bundle. Write the fingerprint
      down, and bring the line for allowed_signers to the target by another way
      than the bundle: that line is what the target believes.
      """)

  @Option(help: .init("The file of the private key.", valueName: "file"), completion: .file())
  var file = "bundle-signing-key"

  @Option(help: .init("Who signs with it; by default USER@HOST.", valueName: "name"))
  var name: String?

  @OptionGroup(title: "Output") var output: OutputOptions

  func run() throws {
    let key = try NewSigningKey(at: FilePath(file), for: name ?? Self.ownName())
    if output.json { return try printJSON(key) }
    let console = output.console()
    console.table(
      ["WHAT", "VALUE"],
      [
        ["private key, for you alone", key.file], ["public key", key.publicFile],
        ["fingerprint to write down", key.fingerprint], ["line for allowed_signers", key.allowedSigners],
      ])
    console.finish("Sign with it: download-all sign --key \(key.file), or set signing.key")
  }

  private static func ownName() -> String {
    let host = (try? readText("/proc/sys/kernel/hostname", limit: 1024))?.split(separator: "\n").first
    let user = processEnvironment()["USER"].flatMap { $0.isEmpty ? nil : $0 } ?? "root"
    return "\(user)@\(host ?? "localhost")"
  }
}
