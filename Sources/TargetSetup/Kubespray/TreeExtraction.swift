import Archive
import Concurrency
import Files
import Host
import Integrity
import SystemPackage

/// Makes a kubespray tree of a bundle's tarball, patches and further files.
///
/// It is made in a folder beside the final one, which gets its name when the tree is complete and on the disk: a tree
/// of the final name is never half of one.
struct TreeExtraction: Sendable {
  /// What it is made of.
  let source: TreeSource
  /// The copies of tarball and patches that it is made of.
  let staged: TreeSource.Staged
  /// The folder that it is made in; what an earlier run left there is removed.
  let part: FilePath
  /// The machine.
  let host: TargetHost

  /// Extracts, patches and adds what belongs beside.
  ///
  /// - Throws: ``ExtractionError``, `ArchiveError`, `CommandError` or `FileError`.
  func make() async throws {
    try await offload { [part, staged] () throws in
      try removeTree(part)
      try ArchiveReader.extract(staged.tarball, into: part, strippingComponents: 1)
    }
    guard fileExists(part.appending("requirements.txt")) else {
      throw ExtractionError.notKubespray(source.bundle.place(source.tarball))
    }
    for (patch, name) in zip(staged.patches, source.patches) { try await apply(patch, named: name) }
    try await offload { [part, source] () throws in
      for (path, bytes) in source.extras {
        let file = part.pushing(FilePath(path))
        try createDirectories(file.removingLastComponent())
        try writeAtomically(
          bytes, to: file, permissions: FilePermissions(rawValue: CModeT(TreeSource.mode(path))),
          isDurable: false)
      }
      try Self.stamp(source, in: part)
    }
  }

  /// The further files, by path in the tree, that are missing or not as this bundle has them, without those that
  /// somebody has changed since they were written.
  static func outdated(_ source: TreeSource, _ stamp: TreeStamp, in tree: FilePath) -> [String] {
    source.extras.keys.sorted().filter { path in
      guard let bytes = source.extras[path] else { return false }
      let wanted = Digest(of: bytes).hex
      let now = TreeStamp.digest(of: tree.pushing(FilePath(path)))
      if now == wanted { return stamp.files[path] != wanted }
      return now == nil || now == stamp.files[path]
    }
  }

  private func apply(_ patch: FilePath, named name: String) async throws {
    // Forward only and without guessing, as download-all applies them.
    let arguments = [
      "-d", part.string, "-p1", "--forward", "--batch", "--no-backup-if-mismatch", "-i", patch.string,
    ]
    for options in [["--dry-run"], []] {
      let result = try await host.run(Command("patch", options + arguments))
      guard result.status == 0 else {
        let lines = (result.standardOutput + result.standardError).split(whereSeparator: \.isNewline).prefix(
          8)
        throw ExtractionError.patchFailed(
          source.bundle.place(name), lines.map { "  \($0)" }.joined(separator: "\n"))
      }
    }
  }

  private static func stamp(_ source: TreeSource, in tree: FilePath) throws {
    var stamp = try source.stamp()
    for file in try TreeStamp.files(below: tree) {
      stamp.files[file] = TreeStamp.digest(of: tree.pushing(FilePath(file)))
    }
    try writeAtomically(try stamp.bytes(), to: tree.appending(TreeStamp.fileName))
    // One flush for thousands of small files; the rename that follows must not reach the disk before them.
    flushFileSystems()
  }
}

/// Why kubespray was not extracted.
enum ExtractionError: Error, CustomStringConvertible, Equatable {
  /// The tarball is not in the bundle.
  case noTarball(FilePath, found: [String])
  /// The tarball holds something else.
  case notKubespray(FilePath)
  /// A patch does not fit, with what `patch` said.
  case patchFailed(FilePath, String)
  /// There is a folder of that name that this program did not make, or made of something else.
  case inTheWay(FilePath, reason: String)

  var description: String {
    switch self {
    case .noTarball(let path, let found):
      "\(path) is not in the bundle"
        + (found.isEmpty ? "" : ", only \(found.joined(separator: ", "))")
    case .notKubespray(let path):
      "\(path) does not hold kubespray: requirements.txt is missing in it"
    case .patchFailed(let path, let output):
      "the patch \(path) does not fit this kubespray:\n\(output)"
    case .inTheWay(let path, let reason):
      "\(path) exists and \(reason)"
    }
  }
}
