extension Catalog {
  /// Joins the catalogs of several architectures: the files and images of all, each marked with those that need it.
  ///
  /// The values of ``overrides`` are those of the first: their templates serve every node, because `image_arch` in them
  /// is evaluated on each.
  /// - Throws: ``CatalogJoiningError`` when the architectures disagree where one bundle can only have one answer.
  public init(joining catalogs: [Catalog]) throws(CatalogJoiningError) {
    guard var joined = catalogs.first else { throw .nothing }
    var files = Dictionary(uniqueKeysWithValues: joined.files.map { ($0.url, $0) })
    var images = Dictionary(uniqueKeysWithValues: joined.images.map { ($0.reference, $0) })
    for other in catalogs.dropFirst() {
      for file in other.files { files[file.url] = try files[file.url]?.joined(with: file) ?? file }
      for image in other.images {
        images[image.reference] = images[image.reference]?.joined(with: image) ?? image
      }
      joined.join(other.charts)
      joined.join(other.packages)
      for (name, version) in other.versions {
        let known = joined.versions[name]
        guard known == nil || known == version else {
          throw .differs(
            name: name, first: (joined.architecture, known ?? ""), second: (other.architecture, version))
        }
        joined.versions[name] = version
      }
      try joined.joinOverrides(of: other)
      joined.warnings += other.warnings.filter { !joined.warnings.contains($0) }
    }
    joined.files = files.values.sorted { $0.url < $1.url }
    joined.images = images.values.sorted { $0.reference < $1.reference }
    joined.warnings.sort()
    self = joined
  }

  private mutating func join(_ others: [CatalogChart]) {
    for chart in others {
      let index = charts.firstIndex {
        ($0.repository, $0.name, $0.version) == (chart.repository, chart.name, chart.version)
      }
      if let index {
        charts[index].isEnabled = charts[index].isEnabled || chart.isEnabled
      } else {
        charts.append(chart)
      }
    }
  }

  private mutating func join(_ others: [CatalogPackage]) {
    var assembly = PackageAssembly()
    for package in packages + others { assembly.add(package) }
    packages = assembly.packages
  }

  private mutating func joinOverrides(of other: Catalog) throws(CatalogJoiningError) {
    var known = Dictionary(uniqueKeysWithValues: overrides.map { ($0.name, $0) })
    for variable in other.overrides {
      if let own = known[variable.name], own.template != variable.template {
        throw .differs(
          name: variable.name, first: (architecture, own.template),
          second: (other.architecture, variable.template))
      }
      known[variable.name] = known[variable.name] ?? variable
    }
    overrides = known.values.sorted { $0.name < $1.name }
  }
}

extension CatalogFile {
  fileprivate func joined(with other: CatalogFile) throws(CatalogJoiningError) -> CatalogFile {
    if let checksum, let another = other.checksum, checksum != another {
      throw .differs(
        name: "the checksum of \(url)", first: (architectures.joined(separator: ", "), "\(checksum)"),
        second: (other.architectures.joined(separator: ", "), "\(another)"))
    }
    var file = self
    file.checksum = checksum ?? other.checksum
    file.variable = variable ?? other.variable
    file.template = variable == nil ? other.template : template
    file.own = own ?? other.own
    file.entries = Set(entries + other.entries).sorted()
    file.architectures = Set(architectures + other.architectures).sorted()
    file.isEnabled = isEnabled || other.isEnabled
    file.isOfficial = isOfficial || other.isOfficial
    return file
  }
}

extension CatalogImage {
  fileprivate func joined(with other: CatalogImage) -> CatalogImage {
    var image = self
    image.entries = Set(entries + other.entries).sorted()
    image.architectures = Set(architectures + other.architectures).sorted()
    image.isEnabled = isEnabled || other.isEnabled
    image.isOfficial = isOfficial || other.isOfficial
    return image
  }
}

/// Why catalogs cannot be one.
public enum CatalogJoiningError: Error, CustomStringConvertible {
  /// There is none.
  case nothing
  /// What must be the same for all is not: each value with its architecture.
  case differs(
    name: String, first: (architecture: String, value: String), second: (architecture: String, value: String))

  /// A sentence for people.
  public var description: String {
    switch self {
    case .nothing: "no catalog was evaluated"
    case .differs(let name, let first, let second):
      "\(name) is \(first.value) for \(first.architecture) and \(second.value) for \(second.architecture), and one "
        + "bundle can only have one of them"
    }
  }
}
