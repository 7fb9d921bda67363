import ArgumentParser
import CommandSupport
import Console
import Files
import SystemPackage
import TargetSetup

/// Writes what a bundle has.
struct InventoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inventory", abstract: "Write what the bundle on this host has, for a delta.",
    discussion: """
      That is its bundle.json with the blobs of each image, which those of earlier
      versions lack. Carry the file to where bundles are made:

        target-setup inventory --to inventory.json
        download-all delta --base inventory.json --to DIR     on the other side
      """)

  @Option(
    name: [.short, .long],
    help: .init(
      "The folder of the bundle, if it is not the one that this program lies in.", valueName: "dir"),
    completion: .directory)
  var bundle: String?

  @Option(
    help: .init("The file to write; by default it goes to standard output.", valueName: "file"),
    completion: .file())
  var to: String?

  func run() throws {
    let folder = try SetupContext.bundleFolder(bundle.map { FilePath($0) }, processEnvironment())
    let bytes = try InventoryRun.bytes(of: folder)
    if let to { return try writeAtomically(bytes, to: FilePath(to)) }
    Terminal.write(json: String(decoding: bytes, as: UTF8.self))
  }
}
