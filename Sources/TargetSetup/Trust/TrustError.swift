import SystemPackage

/// Why this host does not take a bundle.
enum TrustError: Error, Equatable, CustomStringConvertible {
  /// Nobody, or not enough of those who may, has signed it.
  case unsigned(FilePath, reason: String, signers: FilePath)
  /// This host has taken a signed bundle, and its allowed signers are gone.
  case signersGone(FilePath, taken: Int64)
  /// It was made before the last signed bundle that this host has taken.
  case older(FilePath, sequence: Int64?, taken: Int64)
  /// Its statement has ended.
  case expired(FilePath, end: String)
  /// It has no manifest, and the marks of the shell project.
  case noManifest(FilePath)
  /// The bundle's settings choose a folder of the host that no bundle may choose unless it is signed.
  case foreignFolder(setting: String, FilePath)
  /// A file that the decision needs cannot be used.
  case unusable(FilePath, reason: String)

  var description: String {
    switch self {
    case .unsigned(let bundle, let reason, let signers):
      "the bundle in \(bundle) is not signed as \(signers) demands (bundle.json by bundle.json.sig): \(reason)"
    case .signersGone(let signers, let taken):
      "this host has taken a signed bundle (sequence \(taken)), and \(signers) is missing"
    case .older(let bundle, let sequence, let taken):
      "the bundle in \(bundle) has sequence \(sequence.map(String.init) ?? "none"), and this host has taken \(taken)"
    case .expired(let bundle, let end): "the bundle in \(bundle) has expired: it was good until \(end)"
    case .noManifest(let bundle):
      "the bundle in \(bundle) has no bundle.json: it is the shell project's, or somebody has removed it"
    case .foreignFolder(let setting, let path):
      "the bundle's own settings want \(setting) to be \(path), and nobody who may has signed them"
    case .unusable(let path, let reason): "\(path) cannot be used: \(reason)"
    }
  }
}
