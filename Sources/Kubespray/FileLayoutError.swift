import Host

/// Why a URL has no place in the bundle.
public enum FileLayoutError: Error, Equatable, CustomStringConvertible {
  /// The URL is not http or https, or names no file.
  case notAFile(url: String)
  /// The URL is not what kubespray's template of it renders to.
  case templateMismatch(url: String, template: String)
  /// The path cannot be carried on a USB disk.
  case notPortable(url: String, path: String, reason: String)
  /// Two URLs would lie on one path.
  case collision(path: String, first: String, second: String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .notAFile(let url):
      "\(hidingCredentials(url)) has no place in outputs/files: it is not an http or https URL of a file"
    case .templateMismatch(let url, let template):
      "\(hidingCredentials(url)) has no place in outputs/files: it is not what \"\(hidingCredentials(template))\" "
        + "evaluates to"
    case .notPortable(let url, let path, let reason):
      "\(hidingCredentials(url)) would be stored as files/\(path), but \(reason)"
    case .collision(let path, let first, let second):
      "\(hidingCredentials(first)) and \(hidingCredentials(second)) would both be stored as files/\(path)"
    }
  }
}
