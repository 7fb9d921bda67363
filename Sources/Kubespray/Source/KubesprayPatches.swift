import Files
import Host
import SystemPackage

/// Local changes to a kubespray version, applied in the order of their names with `patch -p1`, as the shell
/// project's get-kubespray.sh and extract-kubespray.sh do.
struct KubesprayPatches {
  let files: [FilePath]

  /// Applies all patches to a tree that is thrown away when one fails.
  ///
  /// - Throws: ``KubespraySourceError/patchFailed(patch:output:)`` or `CommandError`.
  func apply(to tree: FilePath, progress: (@Sendable (String) -> Void)?) async throws {
    for file in files {
      let name = file.lastComponent?.string ?? file.string
      let path = try realPath(file)
      // Forward only and without guessing: a patch that is already in this version is an error to look at.
      let arguments = ["-p1", "--forward", "--batch", "--no-backup-if-mismatch", "-i", path.string]
      let trial = try await Command("patch", ["--dry-run"] + arguments, workingDirectory: tree).run()
      guard trial.status == 0 else { throw Self.failure(name, trial) }
      let result = try await Command("patch", arguments, workingDirectory: tree).run()
      guard result.status == 0 else { throw Self.failure(name, result) }
      progress?("applied \(name)")
    }
  }

  /// The lines that name the file and the hunk.
  private static func failure(_ name: String, _ result: CommandResult) -> KubespraySourceError {
    let lines = (result.standardOutput + result.standardError).split(whereSeparator: \.isNewline)
    return .patchFailed(patch: name, output: lines.prefix(8).map { "  \($0)" }.joined(separator: "\n"))
  }
}
