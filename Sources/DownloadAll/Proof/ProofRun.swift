import Bundle
import Concurrency
import Console
import Files
import Host
import Integrity
import Kubespray
import Mirrors
import Settings
import SystemPackage

/// Proves that a deployment from a bundle will ask for nothing that the bundle has not.
///
/// Ansible evaluates the chosen kubespray with the user's inventory and the bundle's own offline.yml; every URL,
/// checksum, image, chart, package and Python requirement that comes out of it is looked for in the bundle, under the
/// address where the admin host's servers will be asked for it.
struct ProofRun: Sendable {
  private let job: Job
  private let questions: ProofQuestions
  private let events: StageEvents
  /// The proof that the bundle has; `nil` for a plan.
  private let lastProof: ClosureProof?
  private let contents: BundleContents
  private let offline: String
  /// Whether the files lie in `outputs/`, rather than being planned.
  private let isFinished: Bool

  /// The proof of a finished bundle.
  ///
  /// - Throws: ``ProofImpossible`` or `Errno`.
  init(
    _ job: Job, _ questions: ProofQuestions, _ events: StageEvents, _ previous: PreviousBundle,
    files: [ManifestFile]
  ) throws {
    self.job = job
    self.questions = questions
    self.events = events
    lastProof = previous.manifest?.proof
    contents = BundleContents(files)
    isFinished = true
    guard contents.files["offline.yml"] != nil else { throw ProofImpossible() }
    offline = try readText(job.configuration.outputs.appending("offline.yml"))
  }

  /// The proof of a plan, before anything is fetched.
  ///
  /// - Throws: ``ProofImpossible``.
  init(_ job: Job, _ questions: ProofQuestions, _ events: StageEvents, planned: [Artifact]) throws {
    self.job = job
    self.questions = questions
    self.events = events
    lastProof = nil
    contents = BundleContents(planned)
    isFinished = false
    guard let text = Self.offline(in: planned) else { throw ProofImpossible() }
    offline = text
  }

  /// The text of the offline.yml that a plan has.
  static func offline(in planned: [Artifact]) -> String? {
    let settings = planned.first { $0.path.description == "offline.yml" }
    guard let settings, case .generated(let bytes) = settings.source else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The proof; the one that the bundle already has, when nothing that it depends on has changed.
  ///
  /// - Throws: What kept the question from being answered.
  func proof() async throws -> ClosureProof {
    let key = try await key()
    if let lastProof, lastProof.key == key {
      events.say(.info, "nothing has changed since the last proof")
      return lastProof
    }
    let version = try await questions.kubespray.source().copy.version
    var proof = ClosureProof(
      key: key, kubespray: version.name, architectures: job.architectures.map(\.rawValue),
      inventory: job.configuration.kubespray.inventory.map { "\($0)" })
    try await proveDownloads(&proof)
    try await provePython(&proof)
    if !isFinished { proof.remarks.append("This is the proof of a plan: nothing was fetched.") }
    return proof
  }

  /// What a cluster would use, or all that kubespray could install.
  private var provesAll: Bool {
    job.configuration.kubespray.inventory == nil && job.configuration.kubespray.selection == .all
  }

  private var leavesOutImages: Bool { job.configuration.images.skip || job.configuration.images.from != nil }

  private func proveDownloads(_ proof: inout ClosureProof) async throws {
    let settings = job.configuration
    let targets = try job.packageTargets()
    let catalog = try await questions.kubespray.catalog()
    let dispensable = await dispensable(in: catalog)
    var check = ClosureCheck(
      contents, registryPort: settings.registry.port,
      strippedRegistries: settings.registry.stripped, dispensable: dispensable,
      replaced: replacedAddresses(in: catalog)
    ) { path, algorithm in
      isFinished ? try? digests(ofFile: settings.outputs.appending(path), algorithm).0 : nil
    }
    var known: [String: Set<String>] = [:]
    if isFinished, !settings.packages.skip {
      for folder in targets.map(\.folder) {
        known[folder] = try await offload { () throws in
          try ProvidedNames.read(settings.outputs.appending(folder))
        }
      }
    }
    var packages = PackageCheck(contents, targets) { [known] in known[$0] }
    packages.check(catalog.packages)
    for demand in try await questions.demands(offline) {
      check.check(demand, all: provesAll, withImages: !leavesOutImages)
      proof.remarks += demand.catalog.warnings.filter {
        // What the stage py has reported is not reported again.
        !proof.remarks.contains($0) && !catalog.warnings.contains($0) && !$0.hasPrefix(Catalog.noChecksum)
      }
    }
    proof.files = check.files.count
    proof.images = check.images.count
    proof.charts = check.charts.count
    proof.packages = packages.counts
    proof.missing += check.missing + packages.missing
    proof.remarks += packages.remarks + check.detourRemarks
    let served = Set(contents.images.map { $0.pushName(strippedRegistries: settings.registry.stripped) })
    proof.remarks += dispensable.remarks(on: contents, served: served, withImages: !leavesOutImages)
    if settings.packages.skip {
      proof.remarks.append("Packages are left out by packages.skip: not looked at.")
    }
    if leavesOutImages {
      let setting = settings.images.skip ? "images.skip" : "images.from"
      proof.remarks.append("Images are chosen by \(setting): not looked at.")
    }
  }

  /// Where the files lie that the inventory fetches from addresses of its own: such an inventory is for this side, and what
  /// it would do on the other one is a remark, unless everything has to be right.
  private func replacedAddresses(in catalog: Catalog) -> [String: String] {
    guard !job.configuration.kubespray.strict else { return [:] }
    let places = try? FileLayout(name: job.configuration.fileLayout).placements(of: catalog.files)
    let files = catalog.files.filter { $0.own != nil }.compactMap { file in
      places?[file.url].map { (file.url, "files/\($0.path)") }
    }
    return Dictionary(files) { first, _ in first }
  }

  /// What the bundle may be without.
  private func dispensable(in catalog: Catalog) async -> Dispensable {
    let selected = catalog.selecting(job.configuration.kubespray.selection)
    return await Dispensable(selected, job.configuration) { [questions] chart in
      guard !chart.hasOwnImages, let fetched = try? await questions.charts.chart(chart) else { return [] }
      return fetched.images
    }
  }

  /// Lets pip resolve kubespray's requirements from the index in the bundle alone.
  private func provePython(_ proof: inout ClosureProof) async throws {
    guard !job.configuration.pypi.skip else {
      return proof.remarks.append("Python packages are left out by pypi.skip: not looked at.")
    }
    guard isFinished else {
      return proof.remarks.append("Python requirements are proved with the bundle, not with its plan.")
    }
    guard contents.files.keys.contains(where: { $0.hasPrefix("pypi/") }) else {
      return proof.missing.append(
        .init(
          component: "pypi", variable: "requirements.txt", wanted: "a Python index",
          reason: "the bundle has no pypi/"))
    }
    for (python, failure) in try await questions.pythonFailures() {
      proof.missing.append(
        .init(
          component: "Python \(python)", variable: "requirements.txt", wanted: "kubespray's requirements",
          reason: failure))
    }
    let count = try await requirementCount()
    for python in try await questions.pythonNames() { proof.requirements[python] = count }
  }

  private func requirementCount() async throws -> Int {
    try TypedText(reading: try await questions.kubespray.source().copy.tree.requirements).lines.count {
      $0.words.first?.hasPrefix("-") == false
    }
  }

  /// One digest over everything that the proof depends on.
  private func key() async throws -> String {
    let source = try await questions.kubespray.source().copy
    let settings = job.configuration
    var parts = [
      "format 1", source.version.name, source.stamp,
      "\(provesAll) \(leavesOutImages) \(settings.packages.skip) \(settings.pypi.skip) \(isFinished)",
      "\(settings.kubespray.strict) \(settings.kubespray.selection.rawValue)",
      "\(settings.registry.port) \(settings.registry.additional) \(settings.packages.targets)",
      "\(settings.pypi.pythons)",
    ]
    for architecture in job.architectures {
      parts.append(try await questions.kubespray.evaluationIdentity(for: architecture))
    }
    parts += contents.files.map { "\($0.key) \($0.value.map { "\($0)" } ?? "")" }.sorted()
    return Digest(of: Array(parts.joined(separator: "\n").utf8)).hex
  }
}

/// There is nothing to prove.
struct ProofImpossible: Error, CustomStringConvertible {
  var description: String {
    "there is no offline.yml to prove: the stage files has not run"
  }
}
