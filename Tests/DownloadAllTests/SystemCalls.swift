import Glibc
import SystemPackage

/// Makes a symbolic link.
func link(_ target: String, at path: FilePath) throws {
  guard symlink(target, path.string) == 0 else { throw Errno(rawValue: errno) }
}

/// The id of the process that runs the tests.
var ownProcess: Int32 { getpid() }

/// Whether there is anything of that name.
func exists(_ path: FilePath) -> Bool { access(path.string, F_OK) == 0 }
