/// An operating-system package that roles install on nodes of a release.
///
/// Sources: the list `pkgs` of the role system_packages, and the tasks of all roles that call the host's package manager.
public struct CatalogPackage: Codable, Hashable, Sendable {
  /// Which clusters get it, as far as it is known here.
  public enum State: String, Codable, Sendable {
    /// The cluster of this inventory gets it.
    case needed
    /// Whether the cluster gets it is decided on its nodes, for example by the result of a task.
    case undecided
    /// This cluster does not get it; another cluster of the release does.
    case possible
  }

  /// Its name as the role gives it to the package manager, which may have a version in it.
  public var name: String
  /// The name of the release, such as `debian-12`.
  public var release: String
  /// Which clusters get it.
  public var state: State
  /// What decides that beside the release, as kubespray's list of packages writes it.
  public var conditions: [String]
  /// The file of kubespray that asks for it.
  public var origin: String

  /// Makes a value of its parts.
  public init(name: String, release: String, state: State, conditions: [String] = [], origin: String) {
    self.name = name
    self.release = release
    self.state = state
    self.conditions = conditions
    self.origin = origin
  }

  /// The name without the version that a role may ask for: `docker-ce=5:28.3*`, `docker-ce-3:28.3`, `python3:any`.
  public var bareName: String {
    if let match = name.firstMatch(of: /^(.+)-[0-9]+:[0-9]/) { return String(match.1) }
    return String(name.prefix { $0 != "=" && $0 != ":" && $0 != "*" && $0 != " " })
  }

  /// Whether it is a name, and not the address or the path of a file.
  public var isName: Bool { !bareName.isEmpty && !name.contains("/") && !name.hasPrefix("@") }
}

extension Catalog {
  /// The packages that roles install on a release, by name.
  ///
  /// - Parameter release: The name of the release, such as `debian-12`.
  public func packages(for release: String) -> [CatalogPackage] { packages.filter { $0.release == release } }
}

/// Joins what the hosts of a cluster, or several architectures, say of the same packages.
struct PackageAssembly {
  private struct Key: Hashable {
    let release: String
    let name: String
    let origin: String
  }

  private var found: [Key: CatalogPackage] = [:]
  private(set) var warnings: Set<String> = []

  /// Sorted by release, name and origin.
  var packages: [CatalogPackage] {
    found.values.sorted { ($0.release, $0.name, $0.origin) < ($1.release, $1.name, $1.origin) }
  }

  /// Adds what one host says.
  mutating func add(_ questions: [RolePackages], _ answers: [HostEvaluation.Packages]) {
    for (question, answer) in zip(questions, answers) {
      if let error = answer.error, answer.enabled != false {
        warnings.insert(
          "The packages that \(question.origin) installs on \(question.release) could not be evaluated: \(error)."
        )
      }
      guard let state = Self.state(answer) else { continue }
      for name in answer.names ?? [] where !name.isEmpty {
        add(
          CatalogPackage(
            name: name, release: question.release, state: state, conditions: answer.open ?? [],
            origin: question.origin))
      }
    }
  }

  /// Adds a package; of two states of one the more certain counts.
  mutating func add(_ package: CatalogPackage) {
    let key = Key(release: package.release, name: package.name, origin: package.origin)
    let order: [CatalogPackage.State] = [.needed, .undecided, .possible]
    guard let known = found[key] else {
      found[key] = package
      return
    }
    found[key]?.state = order.first { $0 == known.state || $0 == package.state } ?? known.state
  }

  /// `nil` where no cluster of the release gets it.
  private static func state(_ answer: HostEvaluation.Packages) -> CatalogPackage.State? {
    switch answer.enabled {
    case true?: .needed
    case nil: .undecided
    case false?: answer.open == nil ? nil : .possible
    }
  }
}
