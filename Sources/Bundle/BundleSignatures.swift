import Files
import SystemPackage

/// The content of one of a manifest's signature files.
public struct BundleSignature: Sendable, Equatable {
  /// The file's name in `outputs/`.
  public let name: String
  /// The armored signature, not yet verified.
  public let bytes: [UInt8]

  /// A signature file.
  public init(name: String, bytes: [UInt8]) { (self.name, self.bytes) = (name, bytes) }
}

extension Manifest {
  /// The name of the signature over the bytes of the manifest: an SSHSIG, as `ssh-keygen -Y sign` writes it.
  public static let signatureFileName = "bundle.json.sig"
  /// How many signatures are looked for.
  public static let mostSignatures = 16
  /// The most bytes of a signature file that are read.
  public static let largestSignature = 1 << 16

  /// The names that signatures can have: `bundle.json.sig`, and of further signers `bundle.json.sig.2`, `.3` and so on.
  public static let signatureFileNames = (1...mostSignatures).map { number in
    number == 1 ? signatureFileName : "\(signatureFileName).\(number)"
  }

  /// The names in `outputs/` of what describes a bundle: no stage brings them.
  public static let ownNames = Set(
    [fileName, unfinishedFileName, BundleChecksums.fileName] + signatureFileNames)

  /// Whether a file of that name in `outputs/` is a signature of the manifest, which no manifest can list.
  public static func isSignature(_ name: String) -> Bool { signatureFileNames.contains(name) }

  /// The signatures that lie beside a manifest, in the order of their names.
  ///
  /// - Throws: `FileError`.
  public static func signatures(in outputs: FilePath) throws -> [BundleSignature] {
    try signatureFileNames.compactMap { name in
      try readBytes(ifPresent: outputs.appending(name), limit: largestSignature).map {
        BundleSignature(name: name, bytes: $0)
      }
    }
  }

  /// Removes the signatures that lie beside a manifest.
  ///
  /// - Throws: `FileError`.
  public static func removeSignatures(in outputs: FilePath) throws {
    for name in signatureFileNames { try removeFile(outputs.appending(name)) }
    flushFolder(outputs)
  }
}
