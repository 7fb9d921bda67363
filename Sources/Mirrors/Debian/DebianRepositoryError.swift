import Host
import SystemPackage

/// Why no repository of Debian packages could be put together.
public enum DebianRepositoryError: Error, CustomStringConvertible {
  /// The sources of this machine are for another release, and none were given for the target.
  case noSources(target: PackageTarget, host: String)
  /// A file of sources declares none that could be used.
  case emptySources(FilePath, target: PackageTarget)
  /// A file of sources cannot be read.
  case unreadable(FilePath, reason: String)
  /// The distribution's own sources could not be read; each with apt's reason.
  case unreachable(PackageTarget, reasons: [String])
  /// The lists have no packages for the architecture.
  case noPackages(PackageTarget, Architecture)
  /// No list has packages of these names.
  case unknown([WantedPackage], target: PackageTarget, unreachable: [String])
  /// A package cannot be installed; with the solver's reason.
  case unsolvable(WantedPackage, reason: String, unreachable: [String])
  /// The solver chose a version that the lists do not describe, or describe without a digest.
  case undescribed(package: String, url: String)
  /// A package lies where it cannot be fetched from.
  case unsupportedAddress(package: String, url: String)
  /// A file that the index must name is not there.
  case missingFile(FilePath)
  /// The resolution was not made by this program.
  case noParagraphs(folder: String)

  /// A sentence for people, or several.
  public var description: String {
    switch self {
    case .noSources(let target, let host):
      "packages for \(target) cannot be found: the apt sources of this machine are for \(host)"
    case .emptySources(let file, let target):
      "\(file): no apt source of binary packages for \(target) is in it"
    case .unreadable(let file, let reason):
      "\(file) cannot be read: \(reason)"
    case .unreachable(let target, let reasons):
      "the package lists of \(target) cannot be fetched:\n" + reasons.joined(separator: "\n")
    case .noPackages(let target, let architecture):
      "the apt sources of \(target) have no packages for \(architecture.rawValue)"
    case .unknown(let packages, let target, let unreachable):
      "no package of this name in the apt sources of \(target): "
        + packages.map { "\($0.name) (\($0.origin))" }.joined(separator: ", ")
        + Self.suspects(unreachable)
    case .unsolvable(let package, let reason, let unreachable):
      "\(package.name) (\(package.origin)) cannot be installed on an empty system:\n\(reason)"
        + Self.suspects(unreachable)
    case .undescribed(let package, let url):
      "\(package): \(hidingCredentials(url)) has neither SHA-256 nor SHA-512 in the signed package lists, so it cannot be verified"
    case .unsupportedAddress(let package, let url):
      "\(package): \(hidingCredentials(url)) is not an http, https or file address"
    case .missingFile(let path):
      "\(path) is missing or has another size than its package list says"
    case .noParagraphs(let folder):
      "\(folder): the resolution describes no packages"
    }
  }

  private static func suspects(_ unreachable: [String]) -> String {
    unreachable.isEmpty
      ? "" : "\nThese sources could not be reached, which may be why:\n" + unreachable.joined(separator: "\n")
  }
}
