import Bundle
import Files
import SystemPackage

/// What describes a bundle that has arrived: its manifest and the signatures beside it, read through no link.
public enum ArrivedStatement {
  /// The bytes of the manifest in a folder; `nil` when there is none.
  ///
  /// - Throws: `FileError`.
  public static func manifest(in folder: FilePath) throws -> [UInt8]? {
    try bytes(Manifest.fileName, in: folder, limit: Manifest.largestFile)
  }

  /// The signatures beside it, in the order of their names.
  ///
  /// - Throws: `FileError`.
  public static func signatures(in folder: FilePath) throws -> [BundleSignature] {
    try Manifest.signatureFileNames.compactMap { name in
      try bytes(name, in: folder, limit: Manifest.largestSignature).map {
        BundleSignature(name: name, bytes: $0)
      }
    }
  }

  private static func bytes(_ name: String, in folder: FilePath, limit: Int) throws -> [UInt8]? {
    var bytes: [UInt8] = []
    do {
      try readFile(FilePath(name), beneath: folder) { piece in
        guard piece.count <= limit - bytes.count else {
          throw FileError(.read, folder.appending(name), .fileTooLarge)
        }
        bytes.append(contentsOf: piece)
      }
    } catch let error as FileError where error.code == .noSuchFileOrDirectory {
      return nil
    }
    return bytes
  }
}
