import Host
import SystemPackage

/// A git repository elsewhere, read with the git program.
struct GitRepository {
  let url: String

  /// No questions: a missing password is an error, not a prompt that nobody sees.
  private static let environment: [String: String?] = [
    "GIT_TERMINAL_PROMPT": "0", "GIT_DIR": nil, "GIT_WORK_TREE": nil,
  ]

  /// The commit that a branch, tag or commit names, in full where the server tells; an abbreviated commit
  /// stays as it is.
  ///
  /// - Throws: ``KubespraySourceError/noReference(_:url:)`` or `CommandError`.
  func commit(of reference: String) async throws -> String {
    let isCommit = reference.utf8.count >= 7 && reference.allSatisfy(\.isHexDigit)
    let listing = try await git(["ls-remote", "--", url, reference, "\(reference)^{}"])
    let lines = listing.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
    // An annotated tag is a commit of its own object; what it points to is the line with ^{}.
    let exact = ["refs/tags/\(reference)^{}", "refs/tags/\(reference)", "refs/heads/\(reference)"]
    for name in exact {
      if let line = lines.first(where: { $0.count == 2 && $0[1] == name }) { return line[0] }
    }
    guard isCommit else { throw KubespraySourceError.noReference(reference, url: hidingCredentials(url)) }
    return reference
  }

  /// Checks a commit out into a fresh folder, with as little history as the server allows.
  func checkOut(_ commit: String, reference: String, into folder: FilePath) async throws {
    _ = try await git(["init", "--quiet", folder.string])
    if commit.utf8.count == 40 {
      let fetch = try await command(
        ["fetch", "--quiet", "--depth", "1", "--no-tags", "--", url, commit], in: folder
      ).run()
      if fetch.status == 0 {
        _ = try await git(["checkout", "--quiet", "--detach", "FETCH_HEAD"], in: folder)
        return
      }
    }
    // Servers need not give single commits, and an abbreviated one can only be looked up in all history.
    _ = try await git(["fetch", "--quiet", "--", url, "+refs/*:refs/remotes/origin/*"], in: folder)
    let found = try await command(["rev-parse", "--verify", "--quiet", "\(commit)^{commit}"], in: folder)
      .run()
    guard found.status == 0 else {
      throw KubespraySourceError.noReference(reference, url: hidingCredentials(url))
    }
    _ = try await git(["checkout", "--quiet", "--detach", commit], in: folder)
  }

  private func git(_ arguments: [String], in folder: FilePath? = nil) async throws(CommandError) -> String {
    try await command(arguments, in: folder).output()
  }

  private func command(_ arguments: [String], in folder: FilePath?) -> Command {
    let place = folder.map { ["-C", $0.string] } ?? []
    return Command("git", place + arguments, environment: Self.environment)
  }
}
