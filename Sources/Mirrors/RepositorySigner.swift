import Files
import Host
import SystemPackage

/// A key that can sign now.
public struct RepositorySigner: Sendable {
  /// The fingerprint of the primary key.
  public let fingerprint: String
  let keyring: Keyring
  /// What errors call the key.
  fileprivate let name: String
  fileprivate var options: [String] = []

  /// The public half, in ASCII armour.
  ///
  /// - Throws: `CommandError`.
  public func publicKey() async throws -> String {
    try await keyring.gpg(["--armor", "--export", fingerprint]).output()
  }

  /// Writes a text file with its signature around it, as `InRelease` is.
  ///
  /// - Throws: ``SigningKeyError``, `CommandError` or `FileError`.
  public func clearsign(_ file: FilePath, to output: FilePath) async throws {
    try await sign(["--clearsign"], file, output)
  }

  /// Writes the signature of a file, in ASCII armour, as `Release.gpg` and `repomd.xml.asc` are.
  ///
  /// - Throws: ``SigningKeyError``, `CommandError` or `FileError`.
  public func detachedSignature(of file: FilePath, to output: FilePath) async throws {
    try await sign(["--armor", "--detach-sign"], file, output)
  }

  private func sign(_ operation: [String], _ file: FilePath, _ output: FilePath) async throws {
    let temporary = temporaryName(for: output)
    let arguments =
      ["--yes"] + Keyring.noPassphrase + options + ["--digest-algo", "SHA512"]
      + ["--local-user", fingerprint, "--output", temporary.string] + operation + [file.string]
    let result = try await keyring.gpg(arguments).run()
    guard result.status == 0 else {
      try? removeFile(temporary)
      throw SigningKeyError.cannotSign(name, reason: Keyring.lastLine(result))
    }
    try renameDurably(temporary, to: output)
  }
}

/// A folder of GnuPG's.
struct Keyring: Sendable {
  /// The folder; `nil` for the user's own.
  let home: FilePath?

  /// An empty passphrase instead of a question that nobody would see; a key that the agent has open needs none.
  fileprivate static let noPassphrase = ["--pinentry-mode", "loopback", "--passphrase", ""]

  /// The time of keys that are made here and of what they sign. A closed network often has no time, and GnuPG
  /// refuses a key "of the future" on a node whose clock is behind.
  private static let early = ["--faked-system-time", "20200101T000000!"]

  /// A key of this keyring.
  ///
  /// - Throws: ``SigningKeyError`` or `CommandError`.
  func signer(named name: String) async throws -> RepositorySigner {
    RepositorySigner(
      fingerprint: try await fingerprint(filter: [name], name, isFile: false), keyring: self, name: name)
  }

  /// The key that a file has.
  ///
  /// - Throws: ``SigningKeyError`` or `CommandError`.
  func signer(imported file: String) async throws -> RepositorySigner {
    let imported = try await gpg(["--import", file]).run()
    guard imported.status == 0 else {
      throw SigningKeyError.missing(file, isFile: true, reason: Self.lastLine(imported))
    }
    return RepositorySigner(
      fingerprint: try await fingerprint(filter: [], file, isFile: true), keyring: self, name: file)
  }

  /// A new key, which never ends. RSA, since it is the kind that apt and rpm of all releases verify.
  ///
  /// - Throws: ``SigningKeyError`` or `CommandError`.
  func signer(madeFor owner: String) async throws -> RepositorySigner {
    let made = try await gpg(
      Self.noPassphrase + Self.early + ["--cert-digest-algo", "SHA512"]
        + ["--quick-generate-key", owner, "rsa3072", "sign", "never"]
    ).run()
    guard made.status == 0 else { throw SigningKeyError.cannotMake(owner, reason: Self.lastLine(made)) }
    return RepositorySigner(
      fingerprint: try await fingerprint(filter: [], owner, isFile: true), keyring: self, name: owner,
      options: Self.early)
  }

  /// The only secret key that fits.
  private func fingerprint(filter: [String], _ name: String, isFile: Bool) async throws -> String {
    let result = try await gpg(["--with-colons", "--list-secret-keys"] + filter).run()
    var fingerprints: [String] = []
    var isPrimary = false
    // GnuPG's doc/DETAILS: a record "sec" begins a key, the first "fpr" after it has its fingerprint in field 10.
    for line in result.standardOutput.split(separator: "\n") {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      switch fields[0] {
      case "sec": isPrimary = true
      case "fpr" where isPrimary && fields.count > 9:
        fingerprints.append(String(fields[9]))
        isPrimary = false
      default: break
      }
    }
    guard let first = fingerprints.first else {
      throw SigningKeyError.missing(name, isFile: isFile, reason: Self.lastLine(result))
    }
    guard fingerprints.count == 1 else { throw SigningKeyError.several(name, fingerprints) }
    return first
  }

  fileprivate func gpg(_ arguments: [String]) -> Command {
    let keyring = home.map { ["--homedir", $0.string] } ?? []
    return Command(
      "gpg", keyring + ["--batch", "--no-tty", "--quiet", "--no-auto-check-trustdb"] + arguments,
      environment: ["LC_ALL": "C"])
  }

  fileprivate static func lastLine(_ result: CommandResult) -> String {
    result.standardError.split(separator: "\n").last.map(String.init) ?? "gpg said nothing"
  }
}
