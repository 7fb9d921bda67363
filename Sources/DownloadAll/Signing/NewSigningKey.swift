import Files
import SystemPackage
import Trust

/// A key for signing bundles that was made now.
public struct NewSigningKey: Sendable, Encodable {
  /// The private key's file.
  public let file: String
  /// The public key's file.
  public let publicFile: String
  /// The fingerprint to write down.
  public let fingerprint: String
  /// The line for the file of allowed signers of a target.
  public let allowedSigners: String

  /// Makes a key pair of Ed25519: the private file is for its owner only, and `FILE.pub` lies beside it.
  ///
  /// - Parameters:
  ///   - path: The private file.
  ///   - name: Who signs with it, as the allowed signers will say.
  /// - Throws: ``KeyNotMade`` or `FileError`; no file is then left, and none is replaced.
  public init(at path: FilePath, for name: String) throws {
    guard SSHPublicKey.isPrincipal(name) else { throw KeyNotMade(path: path, kind: .badName(name)) }
    let publicPath = FilePath(path.string + ".pub")
    for existing in [path, publicPath] where (try? FileInfo(existing)) != nil {
      throw KeyNotMade(path: existing, kind: .exists)
    }
    let key = try OpenSSHPrivateKey.generate(comment: name)
    try Self.create(path, key.armored(), .ownerReadWrite)
    do {
      try Self.create(publicPath, key.publicLine + "\n", .publicFile)
    } catch {
      try? removeFile(path)
      throw error
    }
    file = path.string
    publicFile = publicPath.string
    fingerprint = key.publicKey.fingerprint
    allowedSigners = key.publicKey.allowedSignersLine(for: name, namespace: SSHSignature.bundleNamespace)
  }

  /// Never takes the place of a file, also not of one that has just come.
  private static func create(_ path: FilePath, _ text: String, _ permissions: FilePermissions) throws {
    let file = try openFile(
      path, .writeOnly, options: [.create, .exclusiveCreate, .noFollow], permissions: permissions)
    defer { try? file.close() }
    do {
      try FileError.naming(.write, path) {
        _ = try file.writeAll(Array(text.utf8))
        try synchronize(file)
      }
    } catch {
      try? removeFile(path)
      throw error
    }
  }
}

/// A key that was not made.
public struct KeyNotMade: Error, CustomStringConvertible {
  /// Why.
  public enum Kind: Sendable {
    /// There is a file of that name.
    case exists
    /// The name of the signer cannot stand in a file of allowed signers.
    case badName(String)
  }

  /// The file.
  public let path: FilePath
  /// Why.
  public let kind: Kind

  /// A sentence for people.
  public var description: String { "\(path): \(detail)" }

  /// Why, without the file.
  var detail: String {
    switch kind {
    case .exists: "it exists already; no key was made"
    case .badName(let name): "\"\(name)\" cannot be the name of a signer; no key was made"
    }
  }
}
