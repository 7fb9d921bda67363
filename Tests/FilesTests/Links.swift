import Files
import SystemPackage

/// Makes a symbolic link.
func link(_ target: String, at path: FilePath) throws { try createLink(path, to: target) }
