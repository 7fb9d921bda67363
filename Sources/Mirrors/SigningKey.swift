import Files
import Host
import SystemPackage

/// A GnuPG key that signs the index of a repository.
///
/// It is named by the path of an exported secret key, which is used in a folder of its own that only this user can
/// read and that is removed afterwards; or by the id, fingerprint or address of a key of this user's own keyring. Or it
/// is made for one index, in such a folder, and its private half goes with that: then nobody can sign another one with
/// it.
public struct SigningKey: Sendable, Hashable {
  private enum Kind: Hashable {
    case named(String)
    case made(owner: String)
  }

  private let kind: Kind

  /// A key by path or id.
  public init(_ text: String) { kind = .named(text) }

  /// A key that is made each time that it is used.
  ///
  /// - Parameter owner: Its user id: what it signs.
  public static func made(for owner: String) -> SigningKey { SigningKey(kind: .made(owner: owner)) }

  private init(kind: Kind) { self.kind = kind }

  /// What tells the key from others before it is used: the fingerprint of one that is named.
  ///
  /// - Throws: ``SigningKeyError`` or `CommandError`.
  public func identity() async throws -> String {
    switch kind {
    case .named: try await use { $0.fingerprint }
    case .made: "made for the index"
    }
  }

  /// Signs with the key.
  ///
  /// - Parameter work: What is done while the key can be used.
  /// - Throws: ``SigningKeyError``, `CommandError` or `FileError`; what the work threw.
  public func use<T>(_ work: (RepositorySigner) async throws -> T) async throws -> T {
    switch kind {
    case .made(let owner):
      return try await Self.withKeyring { keyring in
        try await work(try await keyring.signer(madeFor: owner))
      }
    case .named(let text):
      guard fileExists(FilePath(text)) else {
        guard !text.contains("/") else { throw SigningKeyError.noFile(text) }
        guard !text.isEmpty, !text.hasPrefix("-") else {
          throw SigningKeyError.missing(text, isFile: false, reason: "that is not the name of a key")
        }
        return try await work(try await Keyring(home: nil).signer(named: text))
      }
      return try await Self.withKeyring { keyring in
        try await work(try await keyring.signer(imported: text))
      }
    }
  }

  /// Runs work with a keyring of its own.
  private static func withKeyring<T>(_ work: (Keyring) async throws -> T) async throws -> T {
    // In /tmp and not in TMPDIR: the socket of gpg-agent lies in it, whose path may have 107 bytes.
    let folder = try WorkFolder(in: "/tmp")
    let home = folder.path
    let result: Result<T, any Error>
    do {
      result = .success(try await work(Keyring(home: home)))
    } catch {
      result = .failure(error)
    }
    // A task of its own: also after a cancellation no agent and no secret may stay behind.
    _ = await Task.detached {
      _ = try? await Command("gpgconf", ["--homedir", home.string, "--kill", "all"]).run()
      folder.remove()
    }.value
    return try result.get()
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
  /// gpg made no key; with the user id that it was to have, and with gpg's reason.
  case cannotMake(String, reason: String)

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
    case .cannotMake(let owner, let reason):
      "no key could be made that signs \(owner): \(reason)"
    }
  }
}
