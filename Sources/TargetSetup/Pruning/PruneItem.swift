import Files
import SystemPackage

/// Something that goes, in the order in which it does.
struct PruneItem: Sendable {
  /// What it is.
  enum Kind: String, Sendable, Encodable {
    case files = "files"
    case packages = "packages"
    case wheels = "wheels"
    case images = "images"
    case tree = "kubespray tree"
    case environment = "environment"
    case bundle = "bundle"
    case copy = "earlier copy"
  }

  let kind: Kind
  /// The version of the release that it belongs to; `nil` for what belongs to none.
  let release: String?
  /// What is shown of it: a path of the host, or how much of the registry.
  let what: String
  /// How many bytes the disk gets back.
  let bytes: Int64
  /// The files; `nil` for what the registry itself removes.
  let removal: FileRemoval?
}

/// Something that stays, and why.
public struct PruneKept: Sendable, Encodable, Equatable {
  /// What it is: the name of an image, or a path of the host.
  public let what: String
  /// Why it stays, for people.
  public let reason: String
}
