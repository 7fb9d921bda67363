import Concurrency
import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// Compares a whole bundle with its manifest.
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

  /// What is looked at.
  public enum Depth: Sendable {
    /// Every byte.
    case content
    /// Sizes, and where files are remembered their times. Bytes that have become others are not seen.
    case sizes
  }

  private let outputs: FilePath
  private let manifest: Manifest
  private let parallel: Int
  private let depth: Depth
  private let verified: VerifiedFiles?
  private let device: StorageDevice?

  /// A verification of the bundle in a folder.
  ///
  /// - Parameters:
  ///   - outputs: The folder of the bundle.
  ///   - manifest: What must be in the folder, and nothing else.
  ///   - parallel: How many files are read at once, on a device where that is faster.
  ///   - depth: What is looked at.
  ///   - verified: What is remembered of the files, for their times.
  ///   - device: What the folder lies on; found out if absent.
  public init(
    outputs: FilePath, manifest: Manifest, parallel: Int = Self.readers, depth: Depth = .content,
    verified: VerifiedFiles? = nil, device: StorageDevice? = nil
  ) {
    self.outputs = outputs
    self.manifest = manifest
    self.parallel = max(1, parallel)
    self.depth = depth
    self.verified = verified
    self.device = device
  }

  /// How many files this machine reads at once without one waiting for the other: its processors hash them.
  public static var readers: Int { max(2, ProcessInfo.processInfo.activeProcessorCount) }

  /// Looks at every file of the manifest, and lists the folder for what should not be there.
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
    func note(_ index: Int, _ problem: Problem?) {
      onFile(manifest.files[index], problem)
      if let problem { problems.append(problem) }
    }
    if depth == .content, (device ?? StorageDevice(under: outputs)).isSequential {
      let reading = SequentialReading(outputs: outputs, files: manifest.files, hashers: parallel)
      for await results in reading.start(onBytes: onBytes) {
        for (index, problem) in results { note(index, problem) }
      }
    } else {
      // Large files first: the last ones to finish are then small, and all readers end together.
      let order = manifest.files.indices.sorted { manifest.files[$0].size > manifest.files[$1].size }
      await forEachConcurrently(order, limit: parallel) { index in
        await offload { () in check(manifest.files[index], onBytes: onBytes) }
      } onResult: { index, problem in
        note(index, problem)
      }
    }
    try Task.checkCancellation()
    return problems.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  private func unexpectedFiles() throws -> [String] {
    let known = Set(manifest.files.map(\.path.description) + [Manifest.fileName])
    return try BundleTree.files(below: outputs) { !known.contains($0) && !Manifest.isSignature($0) }
  }

  private func check(_ file: ManifestFile, onBytes: (Int64) -> Void) -> Problem? {
    let path = outputs.appending(file.path.description)
    let status: FileInfo
    switch Problem.look(at: file, path) {
    case .success(let found): status = found
    case .failure(let problem): return problem
    }
    guard depth == .content else { return quickly(file, path, status) }
    var hasher = DigestHasher(.sha256)
    do {
      try readFile(path) { bytes in
        hasher.update(bytes)
        onBytes(Int64(bytes.count))
      }
    } catch {
      return .unreadable(file, error)
    }
    return .compare(file, hasher.finalize())
  }

  private func quickly(_ file: ManifestFile, _ path: FilePath, _ status: FileInfo) -> Problem? {
    guard let remembered = verified?.remembered(path), remembered.sha256 == file.sha256,
      remembered.modified != status.modified
    else { return nil }
    return .damaged(file.path, "it has been written to since it was verified; its content was not read")
  }
}

extension BundleVerifier.Problem: Error {
  /// Sees whether there is a file of the right size.
  static func look(at file: ManifestFile, _ path: FilePath) -> Result<FileInfo, Self> {
    guard let status = FileInfo(regularFile: path) else {
      guard (try? FileInfo(path)) != nil else { return .failure(.missing(file.path)) }
      return .failure(
        .damaged(file.path, "there is a link, folder or device of that name instead of a file"))
    }
    guard status.size == file.size else {
      return .failure(.damaged(file.path, "it has \(status.size) bytes instead of \(file.size)"))
    }
    return .success(status)
  }

  /// A file that cannot be read.
  static func unreadable(_ file: ManifestFile, _ error: any Error) -> Self {
    .damaged(file.path, "it cannot be read: \(FileError.reason(error))")
  }

  /// What is wrong with a file of that digest, if anything.
  static func compare(_ file: ManifestFile, _ actual: Digest) -> Self? {
    guard actual != file.sha256 else { return nil }
    return .damaged(file.path, "its digest is \(actual) instead of \(file.sha256)")
  }
}
