import Integrity

/// What `Python/solve.py` is asked.
struct SolverRequest: Encodable {
  var root: String
  var configuration: String?
  var repositories: [String]
  var variables: [String]
  var keys: [String]
  var machine: String
  var version: String
  var wanted: [String]
  var optional: [String]
  var answer: String
}

/// What `Python/solve.py` answers: packages, or one of the fields that tell why not.
struct SolverAnswer: Decodable {
  /// A package of the closure.
  struct Package: Decodable {
    var name: String
    var version: String
    var release: String
    var arch: String
    var url: String
    var digest: Digest
    var size: Int64
    /// The id of its repository.
    var repository: String
    var isModular: Bool
    var buildTime: Int64
  }

  /// A repository that has a package of the closure.
  struct Repository: Decodable {
    var id: String
    var gpgcheck: Bool
    /// Whether the metadata have a signature that dnf has checked (`repo_gpgcheck`).
    var checksMetadata: Bool
    var keys: [String]
  }

  /// A repository that could not be used and did not have to be.
  struct Skipped: Decodable {
    var id: String
    var reason: String
  }

  var packages: [Package]?
  var repositories: [Repository]?
  var skipped: [Skipped]?
  var siblings: [String]?
  /// Why packages that need not be there are not.
  var left: [String: String]?
  var modules: String?
  var warnings: [String]?

  var missing: [String]?
  var unsolvable: String?
  var repository: String?
  var noRepository: String?
  var other: String?
}
