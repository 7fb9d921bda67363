import Glibc
import SystemPackage

/// The absolute path without links; nil when it does not exist.
func realpath(_ path: FilePath) -> FilePath? {
  guard let resolved = Glibc.realpath(path.string, nil) else { return nil }
  defer { free(resolved) }
  return FilePath(String(cString: resolved))
}
