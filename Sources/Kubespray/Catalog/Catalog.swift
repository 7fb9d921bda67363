import Bundle
import Integrity

/// What one kubespray needs from the internet for one inventory, as Ansible evaluates it for one architecture; or for
/// several of them, joined.
///
/// It is the union of the tree's own contrib/offline lists and of what those lists miss; see
/// ``CatalogEvaluator``. Everything is sorted, so that the same evaluation gives the same bytes.
public struct Catalog: Codable, Hashable, Sendable {
  /// The architecture in kubespray's words (`image_arch`): `amd64`, `arm64`; the main one of several.
  public var architecture: String
  /// The files, by URL.
  public var files: [CatalogFile]
  /// The container images, by reference.
  public var images: [CatalogImage]
  /// The Helm charts that roles install, by repository and name.
  public var charts: [CatalogChart]
  /// The operating-system packages that roles install, by release and name.
  public var packages: [CatalogPackage]
  /// The value of each `*_version` variable of the download defaults, and `kube_version`, by variable name.
  public var versions: [String: String]
  /// The variables that offline.yml must redirect, by name.
  public var overrides: [CatalogVariable]
  /// How the warning about a file without a checksum begins.
  public static let noChecksum = "kubespray has no checksum for"

  /// What could not be evaluated and why; each is a sentence that names the variable or entry.
  public var warnings: [String]

  /// The version that kubespray will install of a component.
  ///
  /// - Parameter component: `kube`, `containerd`, `runc`, `nerdctl`, `cni`, `etcd`, …
  public func version(of component: String) -> String? { versions["\(component)_version"] }

  /// The catalog reduced to what the setting `kubespray.selection` asks for.
  public func selecting(_ selection: CatalogSelection) -> Catalog {
    guard selection == .enabled else { return self }
    var catalog = self
    catalog.files.removeAll { !$0.isEnabled }
    catalog.images.removeAll { !$0.isEnabled }
    catalog.charts.removeAll { !$0.isEnabled }
    return catalog
  }

  /// Makes a value of its parts.
  public init(
    architecture: String, files: [CatalogFile], images: [CatalogImage], charts: [CatalogChart] = [],
    packages: [CatalogPackage] = [], versions: [String: String], overrides: [CatalogVariable],
    warnings: [String]
  ) {
    self.architecture = architecture
    self.files = files
    self.images = images
    self.charts = charts
    self.packages = packages
    self.versions = versions
    self.overrides = overrides
    self.warnings = warnings
  }
}

/// A file that kubespray downloads.
public struct CatalogFile: Codable, Hashable, Sendable {
  /// Where it comes from.
  public var url: String
  /// What kubespray will check it against on the node; nil when kubespray knows no checksum for it.
  public var checksum: Digest?
  /// The variable that holds the URL, such as `kubelet_download_url`.
  public var variable: String?
  /// The variable's text before evaluation.
  public var template: String?
  /// Kubespray's own address of it, after which it is placed, where the user has set another to fetch it from.
  public var own: Address?
  /// The entries of `downloads` that ask for it.
  public var entries: [String]
  /// The architectures that need it, in kubespray's words, sorted.
  public var architectures: [String] = []
  /// Whether a cluster of this inventory downloads it.
  public var isEnabled: Bool
  /// Whether the tree's own files.list names it.
  public var isOfficial: Bool
  /// Where it was found, for people: `files.list`, `downloads.argocd_install`, …
  public var origin: String

  /// A URL, and the text that it is evaluated from.
  public struct Address: Codable, Hashable, Sendable {
    /// The URL.
    public var url: String
    /// The text before evaluation.
    public var template: String

    /// Makes a value of its parts.
    public init(url: String, template: String) {
      self.url = url
      self.template = template
    }
  }

  /// Makes a value of its parts.
  public init(
    url: String, checksum: Digest?, variable: String?, template: String?, entries: [String], isEnabled: Bool,
    isOfficial: Bool, origin: String
  ) {
    self.url = url
    self.checksum = checksum
    self.variable = variable
    self.template = template
    self.entries = entries
    self.isEnabled = isEnabled
    self.isOfficial = isOfficial
    self.origin = origin
  }
}

/// A container image that kubespray, or what it deploys, pulls.
public struct CatalogImage: Codable, Hashable, Sendable {
  /// The full reference with registry host and tag; short names are expanded as Docker does.
  public var reference: String
  /// The entries of `downloads` that ask for it.
  public var entries: [String]
  /// The architectures that need it, in kubespray's words, sorted.
  public var architectures: [String] = []
  /// Whether a cluster of this inventory pulls it.
  public var isEnabled: Bool
  /// Whether the tree's own images.list names it.
  public var isOfficial: Bool
  /// Where it was found, for people: `images.list`, `downloads.etcd`, a role's template, …
  public var origin: String

  /// Makes a value of its parts.
  public init(reference: String, entries: [String], isEnabled: Bool, isOfficial: Bool, origin: String) {
    self.reference = reference
    self.entries = entries
    self.isEnabled = isEnabled
    self.isOfficial = isOfficial
    self.origin = origin
  }
}

/// A variable of kubespray that points to the internet.
public struct CatalogVariable: Codable, Hashable, Sendable {
  /// What the variable holds.
  public enum Kind: String, Codable, Sendable {
    /// The URL of a file.
    case fileURL
    /// A registry, or a registry with a path, that image references start with.
    case imageBase
    /// A repository of Helm charts.
    case chartRepository
    /// Flags of a command that takes the repository of its chart from one of them.
    case chartFlags
    /// Values of the Cilium chart, in which digests of images can be switched off.
    case ciliumValues
  }

  /// The variable's name.
  public var name: String
  /// What it holds.
  public var kind: Kind
  /// Its text before evaluation.
  public var template: String
  /// Its text after evaluation.
  public var value: String

  /// Makes a value of its parts.
  public init(name: String, kind: Kind, template: String, value: String) {
    self.name = name
    self.kind = kind
    self.template = template
    self.value = value
  }
}
