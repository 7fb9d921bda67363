/// The address below which the web server hands out what one kubespray release was set up with, whatever other bundles have
/// come since: its files, its packages with the key that signed them, its wheels.
enum ReleaseAddress {
  /// The folder of all releases, as the first part of a path.
  static let folder = "releases"

  /// The version as one part of an address; `nil` when it cannot be one.
  static func part(of version: String) -> String? {
    version.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9.-]*/) == nil ? nil : version
  }

  /// The path, such as `/releases/2.30.0`; empty when the version cannot be a part of an address: then only what the newest
  /// bundle has is to be had.
  static func path(of version: String) -> String { part(of: version).map { "/\(folder)/\($0)" } ?? "" }
}
