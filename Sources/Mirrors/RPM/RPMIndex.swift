import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// Makes the metadata of a repository with createrepo_c.
///
/// The same files give the same bytes: every time in it is the build time of the newest package.
struct RPMIndex {
  /// What clients must know before they trust the packages; `keys/signatures.json`.
  private struct Signatures: Encodable {
    /// Whether every package has a signature that a key below checks.
    var gpgcheck: Bool
    /// The paths of the vendors' keys.
    var keys: [String]
    /// The path of the key that signs the metadata.
    var repositoryKey: String
  }

  /// The public key that signs the metadata, beside the vendors'.
  static let repositoryKey = "\(RPMKeys.folder)/RPM-GPG-KEY-kubespray-offline"

  let signingKey: SigningKey

  /// Makes `repodata/` and `keys/signatures.json`.
  ///
  /// - Returns: The fingerprint of the key that signs it.
  /// - Throws: ``RPMRepositoryError``, ``SigningKeyError``, `CommandError`, or `FileError` of a write.
  func make(of resolution: MirrorResolution, in content: FilePath, to destination: FilePath) async throws
    -> String
  {
    let packages = resolution.files.map(\.path).filter { $0.hasSuffix(".rpm") }.sorted()
    // createrepo_c passes over what is not there without an error.
    for package in packages {
      let path = content.pushing(FilePath(package))
      guard fileExists(path) else {
        throw RPMRepositoryError.missingFile(path)
      }
    }
    try createDirectories(destination)
    let scratch = destination.appending(".making")
    try createDirectories(scratch)
    defer { try? removeTree(scratch) }
    let list = scratch.appending("packages")
    try writeAtomically(packages.map { $0 + "\n" }.joined(), to: list)

    let revision = resolution.notes["revision"] ?? "0"
    _ = try await Command(
      "createrepo_c",
      [
        "--quiet", "--pkglist", list.string, "--outputdir", destination.string, "--checksum", "sha256",
        "--no-database", "--general-compress-type", "gz", "--revision", revision,
        "--set-timestamp-to-revision", content.string,
      ], environment: ["LC_ALL": "C.UTF-8"]
    ).output()
    let metadata = destination.appending("repodata")
    try await fixFileTimes(in: metadata, revision: revision, scratch: scratch)
    if let modules = resolution.notes["modules"] {
      let file = scratch.appending("modules.yaml")
      try writeAtomically(modules, to: file)
      try await add(file, as: "modules", to: metadata)
    }
    try fixTimes(in: metadata.appending("repomd.xml"), revision: revision)
    return try await addKeys(of: resolution, to: destination)
  }

  private func add(_ file: FilePath, as kind: String, to metadata: FilePath) async throws {
    _ = try await Command(
      "modifyrepo_c", ["--mdtype=\(kind)", "--compress-type=gz", file.string, metadata.string],
      environment: ["LC_ALL": "C.UTF-8"]
    ).output()
  }

  /// createrepo_c writes down when each file was last changed here, which is not a property of the package.
  private func fixFileTimes(in metadata: FilePath, revision: String, scratch: FilePath) async throws {
    let names = try listFolder(metadata)
    guard let name = names.first(where: { $0.hasSuffix("primary.xml.gz") }) else { return }
    let text = try await Command("gzip", ["-dc", metadata.appending(name).string]).output()
    let file = scratch.appending("primary.xml")
    try writeAtomically(text.replacing(/<time file="\d+"/, with: "<time file=\"\(revision)\""), to: file)
    _ = try await Command("modifyrepo_c", ["--remove", "primary", metadata.string]).output()
    try await add(file, as: "primary", to: metadata)
  }

  /// modifyrepo_c writes the present time.
  private func fixTimes(in file: FilePath, revision: String) throws {
    let text = try readText(file)
    let fixed = text.replacing(/<timestamp>\d+<\/timestamp>/, with: "<timestamp>\(revision)</timestamp>")
    try writeAtomically(fixed, to: file)
  }

  private func addKeys(of resolution: MirrorResolution, to destination: FilePath) async throws -> String {
    let keys = destination.appending(RPMKeys.folder)
    try createDirectories(keys)
    let signatures = Signatures(
      gpgcheck: resolution.notes["gpgcheck"] == "1",
      keys: (resolution.notes["keys"] ?? "").split(separator: "\n").map(String.init),
      repositoryKey: Self.repositoryKey)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try writeAtomically(
      Array(try encoder.encode(signatures)) + [UInt8(ascii: "\n")], to: keys.appending("signatures.json"))
    return try await signingKey.use { signer in
      let metadata = destination.appending("repodata/repomd.xml")
      try await signer.detachedSignature(of: metadata, to: FilePath(metadata.string + ".asc"))
      let publicKey = try await signer.publicKey()
      try writeAtomically(publicKey, to: FilePath(metadata.string + ".key"))
      try writeAtomically(publicKey, to: destination.pushing(FilePath(Self.repositoryKey)))
      return signer.fingerprint
    }
  }
}
