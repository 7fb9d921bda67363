import Concurrency
import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// Reads a whole bundle again and compares it with its manifest.
public struct BundleVerifier: Sendable {
  /// Something that is not as the manifest says.
  public enum Problem: Sendable, Equatable {
    /// The file is not there.
    case missing(BundlePath)
    /// The file has other bytes; the text says how that was seen.
    case damaged(BundlePath, String)
    /// There is a file of which the manifest does not know.
    case unexpected(String)

    /// The file's path in `outputs/`.
    public var path: String {
      switch self {
      case .missing(let path), .damaged(let path, _): path.description
      case .unexpected(let path): path
      }
    }

    /// One word for tables and scripts.
    public var kind: String {
      switch self {
      case .missing: "missing"
      case .damaged: "damaged"
      case .unexpected: "unexpected"
      }
    }

    /// What was seen, for people.
    public var detail: String {
      switch self {
      case .missing: "it is in the manifest and not on the disk"
      case .damaged(_, let how): how
      case .unexpected: "it is on the disk and not in the manifest"
      }
    }
  }

  private let outputs: FilePath
  private let manifest: Manifest
  private let parallel: Int

  /// A verification of the bundle in a folder.
  ///
  /// - Parameter parallel: How many files are read at once.
  public init(outputs: FilePath, manifest: Manifest, parallel: Int = Self.readers) {
    self.outputs = outputs
    self.manifest = manifest
    self.parallel = max(1, parallel)
  }

  /// How many files this machine reads at once without one waiting for the other: its processors hash them.
  public static var readers: Int { max(2, ProcessInfo.processInfo.activeProcessorCount) }

  /// Reads every file of the manifest, and lists the folder for what should not be there.
  ///
  /// - Parameters:
  ///   - onBytes: Called with the number of bytes read since the last call, from several threads.
  ///   - onFile: Called with each finished file and what is wrong with it, if anything.
  /// - Returns: The problems in order of paths.
  /// - Throws: `FileError` when the folder cannot be listed, or `CancellationError`.
  public func verify(
    onBytes: @escaping @Sendable (Int64) -> Void = { _ in },
    onFile: (ManifestFile, Problem?) -> Void = { _, _ in }
  ) async throws -> [Problem] {
    var problems = try unexpectedFiles().map(Problem.unexpected)
    // Large files first: the last ones to finish are then small, and all readers end together.
    let files = manifest.files.sorted { $0.size > $1.size }
    await forEachConcurrently(files, limit: parallel) { file in
      await offload { () in check(file, onBytes: onBytes) }
    } onResult: { file, problem in
      onFile(file, problem)
      if let problem { problems.append(problem) }
    }
    try Task.checkCancellation()
    return problems.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  private func unexpectedFiles() throws -> [String] {
    let known = Set(manifest.files.map(\.path.description) + [Manifest.fileName])
    return try BundleTree.files(below: outputs).filter { !known.contains($0) && !Manifest.isSignature($0) }
  }

  private func check(_ file: ManifestFile, onBytes: (Int64) -> Void) -> Problem? {
    let path = outputs.appending(file.path.description)
    guard let status = FileInfo(regularFile: path) else {
      guard (try? FileInfo(path)) != nil else { return .missing(file.path) }
      return .damaged(file.path, "there is a link, folder or device of that name instead of a file")
    }
    guard status.size == file.size else {
      return .damaged(file.path, "it has \(status.size) bytes instead of \(file.size)")
    }
    var hasher = DigestHasher(.sha256)
    do {
      try readFile(path) { bytes in
        hasher.update(bytes)
        onBytes(Int64(bytes.count))
      }
    } catch {
      return .damaged(file.path, "it cannot be read: \(FileError.reason(error))")
    }
    let actual = hasher.finalize()
    guard actual != file.sha256 else { return nil }
    return .damaged(file.path, "its digest is \(actual) instead of \(file.sha256)")
  }
}
