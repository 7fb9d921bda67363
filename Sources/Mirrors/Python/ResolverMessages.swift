/// What `Resolver/resolve.py` is asked.
struct ResolverJob: Encodable {
  /// The folder with the package `pip`.
  let pip: String
  /// The Pythons to resolve for, such as `3.12`; none asks for pip's settings instead.
  let pythons: [String]
  /// The machine as `platform.machine()` tells it there.
  let machine: String
  /// The platforms of wheels, the preferred ones first.
  let platforms: [String]
  let requirements: [String]
  let extra: [String]
  /// Whether source distributions are wanted too.
  let sources: Bool
}

/// What `Resolver/resolve.py` answers when no Python is named.
struct ResolverSettings: Decodable {
  /// What decides a resolution, as a JSON text.
  let settings: String
  /// The files that it was read from, those that are missing among them.
  let read: [String]
}

/// What `Resolver/resolve.py` answers, by Python.
struct ResolverAnswers: Decodable {
  let answers: [String: ResolverAnswer]
}

/// The answer for one Python: a failure, or files and warnings.
struct ResolverAnswer: Decodable {
  /// What pip wrote when it found no solution.
  var failure: String?
  var files: [File]?
  var warnings: [String]?

  /// A wheel or a source distribution.
  struct File: Decodable {
    /// The normalized name of its project.
    let project: String
    let version: String
    let name: String
    let url: String
    let size: Int64?
    /// By algorithm.
    let hashes: [String: String]
    /// The Pythons that it declares to support (PEP 345, Requires-Python); may be empty.
    let requiresPython: String
    let yanked: Bool
    /// Whether the requirements gave its URL, rather than its name.
    let direct: Bool

    enum CodingKeys: String, CodingKey {
      case project
      case version
      case name
      case url
      case size
      case hashes
      case requiresPython = "requires_python"
      case yanked
      case direct
    }
  }
}
