import Files
import FoundationEssentials
import SystemPackage

/// Looks an executable file up as a shell does.
///
/// - Parameters:
///   - name: A bare name is searched in `path`; one with a slash is taken as it is.
///   - path: Folders separated by colons; by default the `PATH` of this process. Empty and relative
///     entries are passed over: what runs must not depend on the current folder.
/// - Returns: The first regular file that this user may execute.
public func findExecutable(_ name: String, path: String? = nil) -> FilePath? {
  guard !name.isEmpty else { return nil }
  if name.contains("/") { return isExecutableFile(name) ? FilePath(name) : nil }
  let search = path ?? ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
  for folder in search.split(separator: ":") where folder.hasPrefix("/") {
    let candidate = FilePath(String(folder)).appending(name)
    if isExecutableFile(candidate.string) { return candidate }
  }
  return nil
}

private func isExecutableFile(_ path: String) -> Bool {
  (try? FileInfo(FilePath(path), followsLinks: true))?.kind == .file && isExecutable(FilePath(path))
}
