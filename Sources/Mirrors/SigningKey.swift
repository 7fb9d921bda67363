import Files
import Host
import Integrity
import SystemPackage

/// A GnuPG key that signs the index of a repository.
///
/// It is named by the path of an exported secret key, which is used in a folder of its own that only this user can
/// read and that is removed afterwards, or by the id, fingerprint or address of a key of this user's own keyring.
public struct SigningKey: Sendable, Hashable {
  /// The path or the id.
  public let text: String

  /// A key by path or id.
  public init(_ text: String) { self.text = text }

  /// The fingerprint of the primary key.
  ///
  /// - Throws: ``SigningKeyError`` or `CommandError`.
  public func identity() async throws -> String { try await withKeyring { try await fingerprint($0) } }

  /// The public half, in ASCII armour.
  ///
  /// - Throws: ``SigningKeyError`` or `CommandError`.
  public func publicKey() async throws -> String {
    try await withKeyring { home in
      let fingerprint = try await fingerprint(home)
      return try await gpg(["--armor", "--export", fingerprint], home).output()
    }
  }

  /// Writes a text file with its signature around it, as `InRelease` is.
  ///
  /// - Throws: ``SigningKeyError`` or `CommandError`.
  public func clearsign(_ file: FilePath, to output: FilePath) async throws {
    try await sign(["--clearsign"], file, output)
  }

  /// Writes the signature of a file, in ASCII armour, as `Release.gpg` and `repomd.xml.asc` are.
  ///
  /// - Throws: ``SigningKeyError`` or `CommandError`.
  public func detachedSignature(of file: FilePath, to output: FilePath) async throws {
    try await sign(["--armor", "--detach-sign"], file, output)
  }

  private func sign(_ operation: [String], _ file: FilePath, _ output: FilePath) async throws {
    try await withKeyring { home in
      let fingerprint = try await fingerprint(home)
      let temporary = temporaryName(for: output)
      // An empty passphrase instead of a question that nobody would see; a key that the agent has open needs none.
      let arguments =
        ["--yes", "--pinentry-mode", "loopback", "--passphrase", "", "--digest-algo", "SHA512"]
        + ["--local-user", fingerprint, "--output", temporary.string] + operation + [file.string]
      let result = try await gpg(arguments, home).run()
      guard result.status == 0 else {
        try? removeFile(temporary)
        throw SigningKeyError.cannotSign(text, reason: Self.lastLine(result))
      }
      try renameDurably(temporary, to: output)
    }
  }

  /// The only secret key in a keyring that fits.
  private func fingerprint(_ home: FilePath?) async throws -> String {
    let filter = home == nil ? [text] : []
    let result = try await gpg(["--with-colons", "--list-secret-keys"] + filter, home).run()
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
      throw SigningKeyError.missing(text, isFile: home != nil, reason: Self.lastLine(result))
    }
    guard fingerprints.count == 1 else { throw SigningKeyError.several(text, fingerprints) }
    return first
  }

  /// Runs work with the keyring that has the key: `nil` is the user's own.
  private func withKeyring<T>(_ work: (FilePath?) async throws -> T) async throws -> T {
    guard fileExists(FilePath(text)) else {
      guard !text.contains("/") else { throw SigningKeyError.noFile(text) }
      guard !text.isEmpty, !text.hasPrefix("-") else {
        throw SigningKeyError.missing(text, isFile: false, reason: "that is not the name of a key")
      }
      return try await work(nil)
    }
    // In /tmp and not in TMPDIR: the socket of gpg-agent lies in it, whose path may have 107 bytes.
    let home = try createTemporaryFolder(in: "/tmp", named: "kubespray-offline-gpg")
    let result: Result<T, any Error>
    do {
      let imported = try await gpg(["--import", text], home).run()
      guard imported.status == 0 else {
        throw SigningKeyError.missing(text, isFile: true, reason: Self.lastLine(imported))
      }
      result = .success(try await work(home))
    } catch {
      result = .failure(error)
    }
    // A task of its own: also after a cancellation no agent and no secret may stay behind.
    _ = await Task.detached {
      _ = try? await Command("gpgconf", ["--homedir", home.string, "--kill", "all"]).run()
      try? removeTree(home)
    }.value
    return try result.get()
  }

  private func gpg(_ arguments: [String], _ home: FilePath?) -> Command {
    let keyring = home.map { ["--homedir", $0.string] } ?? []
    return Command(
      "gpg", keyring + ["--batch", "--no-tty", "--quiet", "--no-auto-check-trustdb"] + arguments,
      environment: ["LC_ALL": "C"])
  }

  private static func lastLine(_ result: CommandResult) -> String {
    result.standardError.split(separator: "\n").last.map(String.init) ?? "gpg said nothing"
  }
}

/// Why a key cannot sign.
public enum SigningKeyError: Error, CustomStringConvertible {
  /// The text is a path, and there is no such file.
  case noFile(String)
  /// There is no secret key; with what gpg said.
  case missing(String, isFile: Bool, reason: String)
  /// Several keys fit; their fingerprints.
  case several(String, [String])
  /// gpg refused to sign; with its reason.
  case cannotSign(String, reason: String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .noFile(let path):
      "signing key \(path): there is no such file"
    case .missing(let text, let isFile, let reason):
      "signing key \(text): \(isFile ? "the file has no secret key" : "no such secret key is in the keyring") (\(reason))"
    case .several(let text, let fingerprints):
      "signing key \(text) is ambiguous: \(fingerprints.joined(separator: ", "))"
    case .cannotSign(let text, let reason):
      "signing key \(text) cannot sign: \(reason)"
    }
  }
}
