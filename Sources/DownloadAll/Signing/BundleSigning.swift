import Bundle
import Files
import SystemPackage
import Trust

/// Signs the manifest of a finished bundle.
public enum BundleSigning {
  /// What was signed, and by whom.
  public struct Result: Sendable, Encodable {
    /// The signature's file in `outputs/`.
    public let file: String
    /// The fingerprint of the key.
    public let fingerprint: String
    /// Whether the signature was made now; else it lay there and holds.
    public let isNew: Bool
    /// The id of the manifest.
    public let id: String
    /// The sequence of the manifest.
    public let sequence: Int64
    /// When the statement ends; `nil` for never.
    public let expires: String?
    /// How many files the manifest has.
    public let files: Int
  }

  /// Signs the manifest that lies in a folder, as a further signer where others have signed.
  ///
  /// The bytes that are decoded are those that are signed.
  /// - Parameters:
  ///   - outputs: The folder of the bundle; the signature is written beside its manifest.
  ///   - signer: Whose key signs.
  ///   - say: Hears what a person has to do before a key signs.
  /// - Throws: ``UnfinishedBundle``, `ManifestError`, ``UnsignableBundle``, ``SigningFailed``, `CommandError` or
  ///   `FileError`. What lay there is then as it was.
  public static func sign(
    _ outputs: FilePath, with signer: BundleSigner, say: (String) -> Void = { _ in }
  ) async throws -> Result {
    let path = outputs.appending(Manifest.fileName)
    guard let bytes = try readBytes(ifPresent: path, limit: Manifest.largestFile) else {
      throw UnfinishedBundle(outputs: outputs)
    }
    let manifest = try Manifest(decoding: bytes, from: path)
    guard let id = manifest.id, let sequence = manifest.sequence else {
      throw UnsignableBundle(path: path, kind: .oldFormat)
    }
    func result(_ file: String, isNew: Bool) -> Result {
      Result(
        file: file, fingerprint: signer.fingerprint, isNew: isNew, id: id, sequence: sequence,
        expires: manifest.expires, files: manifest.files.count)
    }
    var free = Set(Manifest.signatureFileNames)
    for signature in try Manifest.signatures(in: outputs) {
      free.remove(signature.name)
      if try isSigned(bytes, by: signer, signature, in: outputs) {
        return result(signature.name, isNew: false)
      }
    }
    guard let name = Manifest.signatureFileNames.first(where: free.contains) else {
      throw UnsignableBundle(path: path, kind: .tooManySignatures)
    }
    try writeAtomically(try await signer.signature(over: bytes, say: say), to: outputs.appending(name))
    return result(name, isNew: true)
  }

  /// Whether a signature is one of the signer.
  ///
  /// - Throws: ``UnsignableBundle`` when it is not one over these bytes: whoever signs beside it would cover up that
  ///   something was changed.
  private static func isSigned(
    _ bytes: [UInt8], by signer: BundleSigner, _ signature: BundleSignature, in outputs: FilePath
  ) throws(UnsignableBundle) -> Bool {
    do throws(SSHError) {
      let parsed = try SSHSignature(armored: signature.bytes)
      try parsed.verify(bytes, namespace: SSHSignature.bundleNamespace)
      return parsed.publicKey == signer.publicKey
    } catch {
      // The key of another tool, such as RSA: it cannot be checked here.
      if case .unsupportedKeyType = error { return false }
      throw UnsignableBundle(path: outputs.appending(signature.name), kind: .falseSignature(error))
    }
  }
}

/// A bundle that cannot be signed as it lies there.
public struct UnsignableBundle: Error, CustomStringConvertible {
  /// Why.
  public enum Kind: Sendable {
    /// The manifest has no id and no sequence.
    case oldFormat
    /// A signature beside the manifest is not one of it.
    case falseSignature(SSHError)
    /// All names of signatures are taken.
    case tooManySignatures
  }

  /// The file.
  public let path: FilePath
  /// Why.
  public let kind: Kind

  /// A sentence for people.
  public var description: String { "\(path) \(detail)" }

  /// What is to be said of the file.
  var detail: String {
    switch kind {
    case .oldFormat: "has format 1, which cannot be signed"
    case .falseSignature(let error): "is not a signature of \(Manifest.fileName): \(error)"
    case .tooManySignatures: "has \(Manifest.mostSignatures) signatures already"
    }
  }
}
