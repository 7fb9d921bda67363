import Bundle
import Integrity

/// Joins the official lists and the evaluations of all hosts into one ``Catalog``.
///
/// An entry is enabled when some host has it enabled and belongs to one of its groups, as kubespray's download
/// role filters (roles/download/tasks/main.yml). Without an inventory there is one evaluation with kubespray's
/// defaults, and every group counts as present, as in the inventory that kubespray comes with.
struct CatalogAssembly {
  let evaluations: [HostEvaluation]
  let usesInventory: Bool
  let officialFiles: [OfficialFile]
  let officialImages: [String]
  let roleImages: [RoleImage]
  let roleCharts: [RoleChart]
  let rolePackages: [RolePackages]

  var files: [String: CatalogFile] = [:]
  private var images: [String: CatalogImage] = [:]
  var warnings: Set<String> = []
  private var badBases: [String: String] = [:]

  init(
    evaluations: [HostEvaluation], usesInventory: Bool, officialFiles: [OfficialFile],
    officialImages: [String],
    roleImages: [RoleImage], roleCharts: [RoleChart], rolePackages: [RolePackages] = []
  ) {
    self.evaluations = evaluations
    self.usesInventory = usesInventory
    self.officialFiles = officialFiles
    self.officialImages = officialImages
    self.roleImages = roleImages
    self.roleCharts = roleCharts
    self.rolePackages = rolePackages
  }

  /// - Parameter architecture: The bundle's architecture in kubespray's words, when no host tells.
  /// - Throws: ``CatalogError`` for an image base of the user's that is none.
  static func assemble(
    _ assembly: CatalogAssembly, architecture: String
  ) throws(CatalogError) -> Catalog {
    var work = assembly
    work.addDownloads()
    for evaluation in work.members {
      work.addURLs(evaluation)
      work.addPairs(evaluation)
      work.addCompositions(evaluation)
    }
    work.nameVariables()
    work.addOfficial()
    guard work.badBases.isEmpty else { throw .badImageBases(work.badBases) }
    work.replaceOwnAddresses()
    let charts = ChartAssembly(work.roleCharts, work.members)
    work.addCiliumOperators(charts.charts)
    work.warnings.formUnion(charts.warnings)
    var packages = PackageAssembly()
    for evaluation in work.members { packages.add(work.rolePackages, evaluation.packages) }
    work.warnings.formUnion(packages.warnings)
    work.warnAboutFailures()
    let architecture = work.members.lazy.compactMap(\.architecture).first ?? architecture
    for url in work.files.keys { work.files[url]?.architectures = [architecture] }
    for reference in work.images.keys { work.images[reference]?.architectures = [architecture] }
    return Catalog(
      architecture: architecture,
      files: work.files.values.sorted { $0.url < $1.url },
      images: work.images.values.sorted { $0.reference < $1.reference }, charts: charts.charts,
      packages: packages.packages, versions: work.versions(), overrides: work.overrides() + charts.overrides,
      warnings: work.warnings.sorted())
  }

  private func isWanted(_ entry: HostEvaluation.Entry, by evaluation: HostEvaluation) -> Bool {
    guard entry.enabled else { return false }
    return !usesInventory || !Set(entry.groups ?? []).isDisjoint(with: evaluation.groups)
  }

  /// The evaluations that speak for the cluster. A host that only runs etcd does not see the variables of the
  /// group k8s_cluster, so its idea of, say, `kube_version` is not the cluster's.
  var members: [HostEvaluation] {
    let cluster = evaluations.filter { $0.groups.contains("k8s_cluster") }
    let ordered =
      cluster.filter { $0.groups.contains("kube_control_plane") }
      + cluster.filter { !$0.groups.contains("kube_control_plane") }
    return ordered.isEmpty ? evaluations : ordered
  }

  /// Takes each entry of `downloads` from the hosts that it is for, and entries for no host from the cluster's.
  private mutating func addDownloads() {
    let speaking = members
    var addressed: Set<String> = []
    for evaluation in evaluations where usesInventory {
      let entries = evaluation.downloads.filter {
        !Set($0.value.groups ?? []).isDisjoint(with: evaluation.groups)
      }
      addressed.formUnion(entries.keys)
      add(entries, of: evaluation)
    }
    for evaluation in speaking {
      add(evaluation.downloads.filter { !addressed.contains($0.key) }, of: evaluation)
    }
  }

  private mutating func add(_ entries: [String: HostEvaluation.Entry], of evaluation: HostEvaluation) {
    for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
      let wanted = isWanted(entry, by: evaluation)
      if let url = entry.url, url.contains("://") {
        var file = files[url] ?? CatalogFile(url: url, origin: "downloads.\(name)")
        file.addEntry(name)
        file.isEnabled = file.isEnabled || wanted && entry.file
        // etcd's checksum is of the image, or none, when it does not run from a file.
        if entry.file || entry.repo == nil { take(entry.checksum ?? entry.sha256, for: &file) }
        files[url] = file
      }
      if let repository = entry.repo, let tag = entry.tag {
        guard let reference = ImageName.reference("\(repository):\(tag)") else {
          reject("\(repository):\(tag)", origin: "downloads.\(name)")
          continue
        }
        var image = images[reference] ?? CatalogImage(reference: reference, origin: "downloads.\(name)")
        image.addEntry(name)
        image.isEnabled = image.isEnabled || wanted && entry.container
        images[reference] = image
      }
    }
  }

  private mutating func take(_ checksum: String?, for file: inout CatalogFile) {
    guard file.checksum == nil, let checksum else { return }
    let text = checksum.contains(":") ? checksum : "sha256:\(checksum)"
    do {
      file.checksum = try Digest(text)
    } catch {
      warnings.insert("The checksum of \(file.url) cannot be used: \(error).")
    }
  }

  private mutating func addURLs(_ evaluation: HostEvaluation) {
    for (name, variable) in evaluation.urls.sorted(by: { $0.key < $1.key }) {
      guard let url = variable.source, Self.isFileURL(url) else { continue }
      files[url] = files[url] ?? CatalogFile(url: url, origin: "variable \(name)")
    }
  }

  /// Says of each file which variable holds its URL, and adds the checksum that goes with that variable.
  private mutating func nameVariables() {
    for evaluation in members + evaluations {
      for (name, variable) in evaluation.urls.sorted(by: { $0.key < $1.key }) {
        guard let url = variable.source, var file = files[url] else { continue }
        if file.variable == nil {
          file.variable = name
          file.template =
            variable.isReplaced ? variable.template : variable.own?.template ?? variable.template
          if variable.isReplaced { file.own = variable.place }
        }
        take(variable.checksum, for: &file)
        files[url] = file
      }
    }
  }

  /// A base such as `https://github.com` is not a file.
  static func isFileURL(_ url: String) -> Bool {
    guard let scheme = url.firstRange(of: "://"), url.hasPrefix("http") else { return false }
    guard let slash = url[scheme.upperBound...].firstIndex(of: "/") else { return false }
    return url.last != "/" && url.index(after: slash) != url.endIndex
  }

  /// Pairs `X_image_repo` and `X_image_tag` that `downloads` has no entry for. What runs them is not known
  /// here; a role's template says so later, if one uses them.
  private mutating func addPairs(_ evaluation: HostEvaluation) {
    // `azure_csi_plugin_image_repo` is the start of image names and no image itself.
    let families = Set(roleImages.filter(\.extendsRepository).compactMap(\.repositoryVariable))
    for (name, variable) in evaluation.images.sorted(by: { $0.key < $1.key }) where name.hasSuffix("_repo") {
      let tagName = name.dropLast("_repo".count) + "_tag"
      guard let repository = variable.value, let tag = evaluation.images[String(tagName)]?.value,
        !families.contains(name)
      else { continue }
      add(image: "\(repository):\(tag)", origin: "variables \(name) and \(tagName)", isEnabled: false)
    }
  }

  private mutating func addCompositions(_ evaluation: HostEvaluation) {
    let roots = registryRoots(evaluation)
    for (image, result) in zip(roleImages, evaluation.composed) {
      let isEnabled = result.enabled ?? true
      let ownsVariable = image.repositoryVariable.map { !roots.contains($0) } ?? false
      guard isEnabled || ownsVariable else { continue }
      if let reference = result.reference {
        add(image: reference, origin: image.origin, isEnabled: isEnabled)
      } else if isEnabled {
        warnings.insert(
          "The image of \(image.origin) could not be evaluated: \(result.error ?? "no value"). "
            + "If your cluster uses it, add it to imagelists/.")
      }
    }
  }

  /// Notes what is no image: one base that is wrong is one mistake, however many images begin with it.
  private mutating func reject(_ name: String, origin: String) {
    for evaluation in members {
      guard let base = ImageBase.wrong(for: name, in: evaluation) else { continue }
      badBases[base.variable] = base.value
      return
    }
    warnings.insert("\(origin) gives \"\(name)\", which is not a valid image reference; it is left out.")
  }

  private mutating func add(image name: String, origin: String, isEnabled: Bool) {
    guard let reference = ImageName.reference(name) else {
      if isEnabled { reject(name, origin: origin) }
      return
    }
    var image = images[reference] ?? CatalogImage(reference: reference, origin: origin)
    // For entries of downloads kubespray itself says whether they are used; a role only places them.
    if image.entries.isEmpty { image.isEnabled = image.isEnabled || isEnabled }
    images[reference] = image
  }

  /// Variables that hold a registry that other repositories start with, such as `kube_image_repo`: an image
  /// that a template composes from one of these belongs to its role alone.
  private func registryRoots(_ evaluation: HostEvaluation) -> Set<String> {
    var roots: Set<String> = []
    for (name, variable) in evaluation.images where name.hasSuffix("_repo") {
      if let value = variable.value, !value.contains("/") { roots.insert(name) }
      if let match = variable.template.prefixMatch(of: /\{\{\s*([A-Za-z0-9_]+_image_repo)\s*\}\}\//) {
        roots.insert(String(match.1))
      }
    }
    return roots
  }

  /// The script names kubeadm's images by `kube_image_repo`; kubeadm itself takes `kubeadm_image_repo`.
  private func asKubeadmAsks(_ name: String) -> String {
    guard let base = members.first?.images["kube_image_repo"]?.value,
      let own = members.first?.images["kubeadm_image_repo"]?.value, own != base,
      ["apiserver", "controller-manager", "scheduler", "proxy"].contains(where: {
        name.hasPrefix("\(base)/kube-\($0):")
      })
    else { return name }
    return own + name.dropFirst(base.count)
  }

  private mutating func addOfficial() {
    for file in officialFiles {
      files[file.url, default: CatalogFile(url: file.url, origin: "files.list")].isOfficial = true
    }
    for name in officialImages.map(asKubeadmAsks) {
      guard let reference = ImageName.reference(name) else {
        reject(name, origin: "images.list")
        continue
      }
      // What only the script knows are the images that kubeadm starts on every cluster.
      let isKubeadm = images[reference] == nil
      images[reference, default: CatalogImage(reference: reference, origin: "images.list")].isOfficial = true
      if isKubeadm { images[reference]?.isEnabled = true }
    }
  }

  /// The Cilium chart runs the operator of its cloud, `generic` unless one is chosen: it puts the cloud behind the
  /// name that kubespray gives it (the chart's template `cilium.operator.image`).
  private mutating func addCiliumOperators(_ charts: [CatalogChart]) {
    guard charts.contains(where: \.hasOwnImages) else { return }
    for image in images.values where image.entries.contains("cilium_operator") {
      guard let colon = image.reference.lastIndex(of: ":") else { continue }
      var generic = image
      generic.reference.insert(contentsOf: "-generic", at: colon)
      generic.isOfficial = false
      generic.origin = "downloads.cilium_operator, as Cilium's chart completes it"
      images[generic.reference] = images[generic.reference] ?? generic
    }
  }

  private mutating func warnAboutFailures() {
    for refusal in Set(members.flatMap(\.refusals)) {
      warnings.insert(
        "kubespray would not play with this inventory: its check \"\(refusal.check)\" says: "
          + maskingSecrets(in: refusal.message))
    }
    for failure in Set(evaluations.flatMap(\.errors)) {
      warnings.insert("\(failure.subject) could not be evaluated: \(failure.message)")
    }
    for file in files.values where file.isEnabled && file.checksum == nil {
      warnings.insert("\(Catalog.noChecksum) \(file.url) (\(file.origin)).")
    }
  }

  private mutating func versions() -> [String: String] {
    var versions: [String: String] = [:]
    for evaluation in members {
      for case (let name, let value?) in evaluation.versions {
        if let known = versions[name], known != value {
          warnings.insert("\(name) is \(known) on some hosts and \(value) on \(evaluation.host).")
        }
        versions[name] = versions[name] ?? value
      }
    }
    return versions
  }

  private func overrides() -> [CatalogVariable] {
    guard let evaluation = members.first else { return [] }
    var variables: [String: CatalogVariable] = [:]
    for (name, variable) in evaluation.urls {
      guard let address = variable.place else { continue }
      variables[name] = CatalogVariable(
        name: name, kind: .fileURL, template: address.template, value: address.url)
    }
    for (name, variable) in evaluation.images.merging(
      evaluation.roleImages, uniquingKeysWith: { first, _ in first })
    where name.hasSuffix("_image_repo") && !variable.template.contains("{{") {
      guard let value = variable.value, !value.isEmpty else { continue }
      variables[name] = CatalogVariable(
        name: name, kind: .imageBase, template: variable.template, value: value)
    }
    return variables.values.sorted { $0.name < $1.name }
  }
}

extension CatalogFile {
  fileprivate init(url: String, origin: String) {
    self.init(
      url: url, checksum: nil, variable: nil, template: nil, entries: [], isEnabled: false, isOfficial: false,
      origin: origin)
  }

  fileprivate mutating func addEntry(_ name: String) {
    if !entries.contains(name) { entries = (entries + [name]).sorted() }
  }
}

extension CatalogImage {
  fileprivate init(reference: String, origin: String) {
    self.init(reference: reference, entries: [], isEnabled: false, isOfficial: false, origin: origin)
  }

  fileprivate mutating func addEntry(_ name: String) {
    if !entries.contains(name) { entries = (entries + [name]).sorted() }
  }
}
