import Files

/// The certificate that a cluster, installed with a bundle's offline.yml, asks for nothing that the bundle has not; or
/// what it would miss.
public struct ClosureProof: Sendable, Codable, Equatable {
  /// Something that would be asked for in vain.
  public struct Missing: Sendable, Codable, Hashable {
    /// The part of the cluster that asks: an entry of `downloads`, a chart, a release.
    public var component: String
    /// The variable or file of kubespray that asks for it.
    public var variable: String
    /// What is asked for: a URL, an image, a package.
    public var wanted: String
    /// Why it cannot be had.
    public var reason: String

    /// Makes a value of its parts.
    public init(component: String, variable: String, wanted: String, reason: String) {
      self.component = component
      self.variable = variable
      self.wanted = wanted
      self.reason = reason
    }
  }

  /// What the proof depends on, as one digest: as long as it is the same, so is the proof.
  public var key: String
  /// The kubespray version.
  public var kubespray: String
  /// The architectures of the nodes.
  public var architectures: [String]
  /// The inventory whose cluster it is for; `nil` for all that kubespray could install.
  public var inventory: String?
  /// How many files were looked for.
  public var files: Int
  /// How many images.
  public var images: Int
  /// How many Helm charts.
  public var charts: Int
  /// How many packages, by release.
  public var packages: [String: Int]
  /// How many Python requirements, by Python.
  public var requirements: [String: Int]
  /// What is missing; empty when the bundle is proved.
  public var missing: [Missing]
  /// What was not looked at, or could not be decided, in sentences.
  public var remarks: [String]

  /// A proof that has found nothing yet.
  public init(key: String, kubespray: String, architectures: [String], inventory: String?) {
    self.key = key
    self.kubespray = kubespray
    self.architectures = architectures
    self.inventory = inventory
    files = 0
    images = 0
    charts = 0
    packages = [:]
    requirements = [:]
    missing = []
    remarks = []
  }

  /// Whether nothing is missing.
  public var holds: Bool { missing.isEmpty }

  /// The certificate in one sentence.
  public var summary: String {
    var parts = [counted(files, "file"), counted(images, "image")]
    if charts > 0 { parts.append(counted(charts, "Helm chart")) }
    parts += packages.sorted { $0.key < $1.key }.map { counted($0.value, "package") + " on \($0.key)" }
    parts += requirements.sorted { $0.key < $1.key }.map {
      counted($0.value, "requirement") + " for Python \($0.key)"
    }
    let subject = inventory.map { "the cluster of \($0)" } ?? "whatever it installs"
    let whole = parts.joined(separator: ", ")
    return holds
      ? "proved: kubespray \(kubespray) on \(architectures.joined(separator: " and ")), \(subject), "
        + "finds all it asks for in the bundle (\(whole))"
      : "not proved: of what kubespray \(kubespray) asks for, \(counted(missing.count, "thing is", "things are")) not in the bundle (\(whole))"
  }
}
