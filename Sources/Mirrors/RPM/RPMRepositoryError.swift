import SystemPackage

/// Why a repository of RPM packages could not be resolved or made.
public enum RPMRepositoryError: Error, CustomStringConvertible {
  /// The target is not this host, and no source of its packages was given.
  case noSources(PackageTarget)
  /// The file or folder of the sources has no .repo file that can be read.
  case noRepositoryFile(FilePath)
  /// The folder of this program's own cache cannot be written, or an answer in it not be read.
  case cache(FilePath, reason: String)
  /// dnf 4 is not installed.
  case noSolver
  /// Every repository is switched off.
  case noRepositoryEnabled(String)
  /// No repository has a package of these names.
  case unknownPackages([WantedPackage], PackageTarget)
  /// The wanted packages cannot be installed together; the text is dnf's.
  case unsolvable(String, PackageTarget)
  /// A repository cannot be used; the text is dnf's.
  case repositoryFailed(String)
  /// dnf ended in a way that it should not.
  case solverFailed(String)
  /// A file of the resolution is not in the folder of the mirror.
  case missingFile(FilePath)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .noSources(let target):
      "it is not known where packages for \(target) come from, and this host runs something else"
    case .noRepositoryFile(let path):
      "\(path) has no .repo file that can be read"
    case .cache(let path, let reason):
      "\(path) cannot be used: \(reason)"
    case .noSolver:
      "RPM packages need dnf 4 and its Python library, which this host lacks"
    case .noRepositoryEnabled(let folders):
      "no repository is enabled in \(folders)"
    case .unknownPackages(let wanted, let target):
      "no repository of \(target) has "
        + wanted.map { "\($0.name) (\($0.origin))" }.joined(separator: ", ")
    case .unsolvable(let reason, let target):
      "the packages for \(target) cannot be installed together. dnf says:\n\(reason.trimmedEnd)"
    case .repositoryFailed(let reason):
      "a repository cannot be used. dnf says: \(reason.trimmedEnd)"
    case .solverFailed(let reason):
      "dnf could not be asked for the packages: \(reason.trimmedEnd)"
    case .missingFile(let path):
      "\(path) is not there, so no index can be made"
    }
  }
}

extension String {
  /// Without white space at its end.
  fileprivate var trimmedEnd: String {
    var text = self[...]
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
