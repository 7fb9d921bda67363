import Bundle
import Concurrency
import Console
import Files
import FoundationEssentials
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
/// address where the admin node's servers will be asked for it.
struct ProofRun: Sendable {
  private let run: RunContext
  private let contents: BundleContents
  private let offline: String
  /// Whether the files lie in `outputs/`, rather than being planned.
  private let isFinished: Bool

  /// The proof of a finished bundle.
  ///
  /// - Throws: ``ProofImpossible`` or `Errno`.
  init(_ run: RunContext, files: [ManifestFile]) throws {
    self.run = run
    contents = BundleContents(files)
    isFinished = true
    guard contents.files["offline.yml"] != nil else { throw ProofImpossible() }
    var bytes: [UInt8] = []
    try readFile(run.configuration.outputs.appending("offline.yml")) { bytes.append(contentsOf: $0) }
    offline = String(decoding: bytes, as: UTF8.self)
  }

  /// The proof of a plan, before anything is fetched.
  ///
  /// - Throws: ``ProofImpossible``.
  init(_ run: RunContext, planned: [Artifact]) throws {
    self.run = run
    contents = BundleContents(planned)
    isFinished = false
    let settings = planned.first { $0.path.description == "offline.yml" }
    guard let settings, case .generated(let bytes) = settings.source else { throw ProofImpossible() }
    offline = String(decoding: bytes, as: UTF8.self)
  }

  /// The proof; the one that the bundle already has, when nothing that it depends on has changed.
  ///
  /// - Throws: What kept the question from being answered.
  func proof() async throws -> ClosureProof {
    let key = try await key()
    if isFinished, let known = run.previous.manifest?.proof, known.key == key {
      run.say(.info, "nothing has changed since the last proof", stage: .prove)
      return known
    }
    let version = try await run.kubespray.source().copy.version
    var proof = ClosureProof(
      key: key, kubespray: version.name, architectures: run.architectures.map(\.rawValue),
      inventory: run.configuration.kubespray.inventory.map { "\($0)" })
    run.say(.info, "evaluating kubespray's variables with this bundle's offline.yml", stage: .prove)
    try await proveDownloads(&proof)
    try await provePython(&proof)
    if !isFinished { proof.remarks.append("This is the proof of a plan: nothing was fetched.") }
    return proof
  }

  /// What a cluster would use, or all that kubespray could install.
  private var provesAll: Bool {
    run.configuration.kubespray.inventory == nil && run.configuration.kubespray.selection == .all
  }

  private var leavesOutImages: Bool { run.configuration.images.skip || run.configuration.images.from != nil }

  private func proveDownloads(_ proof: inout ClosureProof) async throws {
    let settings = run.configuration
    let targets = settings.packages.skip ? [] : try targets()
    let releases = targets.map {
      NodeRelease(
        name: $0.target.name, id: $0.target.id, version: $0.target.version, codename: $0.target.codename)
    }
    var check = ClosureCheck(
      contents, registryPort: settings.registry.port,
      strippedRegistries: settings.registry.stripped
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
    // What the stage py has told is not told again.
    let told = try await run.kubespray.catalog().warnings
    for architecture in run.architectures {
      var demand = try await run.kubespray.demand(
        for: architecture, offline: ClosureCheck.filled(offline), releases: releases)
      try await addChartImages(&demand)
      check.check(demand, all: provesAll, withImages: !leavesOutImages)
      packages.check(demand.packages, provesAll: provesAll)
      proof.remarks += demand.catalog.warnings.filter {
        !proof.remarks.contains($0) && !told.contains($0) && !$0.hasPrefix(Catalog.noChecksum)
      }
    }
    proof.files = check.files.count
    proof.images = check.images.count
    proof.charts = check.charts.count
    proof.packages = packages.counts
    proof.missing += check.missing + packages.missing
    proof.remarks += packages.remarks
    if settings.packages.skip {
      proof.remarks.append("Packages are left out by packages.skip: not looked at.")
    }
    if leavesOutImages {
      let setting = settings.images.skip ? "images.skip" : "images.from"
      proof.remarks.append("Images are chosen by \(setting): not looked at.")
    }
  }

  /// Charts that bring images of their own name them by their public hosts.
  private func addChartImages(_ demand: inout ClusterDemand) async throws {
    for chart in try await run.kubespray.catalog().charts where !chart.hasOwnImages {
      guard let asked = demand.catalog.charts.first(where: { $0.name == chart.name }),
        let fetched = try? await run.charts.chart(chart)
      else { continue }
      for image in fetched.images {
        demand.add(image: image.description, of: asked)
      }
    }
  }

  private func targets() throws -> [PackageTargets.Choice] {
    try PackageTargets(run.configuration.packages, system: try OSRelease.current()).choices
  }

  /// Lets pip resolve kubespray's requirements from the index in the bundle alone.
  private func provePython(_ proof: inout ClosureProof) async throws {
    guard !run.configuration.pypi.skip else {
      return proof.remarks.append("Python packages are left out by pypi.skip: not looked at.")
    }
    guard isFinished else {
      return proof.remarks.append("Python requirements are proved with the bundle, not with its plan.")
    }
    let here = FilePath(FileManager.default.currentDirectoryPath)
    let folder = here.pushing(run.configuration.outputs).appending("pypi")
    guard contents.files.keys.contains(where: { $0.hasPrefix("pypi/") }) else {
      return proof.missing.append(
        .init(
          component: "pypi", variable: "requirements.txt", wanted: "a Python index",
          reason: "the bundle has no pypi/"))
    }
    let index = try await MirrorStage.index(run, requiring: .kubespray)
    for (python, failure) in try await index.asking(index: folder).failures() {
      proof.missing.append(
        .init(
          component: "Python \(python)", variable: "requirements.txt", wanted: "kubespray's requirements",
          reason: failure))
    }
    let count = try await requirementCount()
    for python in index.pythonNames { proof.requirements[python] = count }
  }

  private func requirementCount() async throws -> Int {
    var bytes: [UInt8] = []
    try readFile(try await run.kubespray.source().copy.tree.requirements) { bytes.append(contentsOf: $0) }
    return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).count {
      let line = $0.drop { $0 == " " }
      return !line.isEmpty && !line.hasPrefix("#") && !line.hasPrefix("-")
    }
  }

  /// One digest over everything that the proof depends on.
  private func key() async throws -> String {
    let source = try await run.kubespray.source().copy
    let settings = run.configuration
    var parts = [
      "format 1", source.version.name, source.stamp,
      "\(provesAll) \(leavesOutImages) \(settings.packages.skip) \(settings.pypi.skip) \(isFinished)",
      "\(settings.registry.port) \(settings.registry.additional) \(settings.packages.targets)",
      "\(settings.pypi.pythons)",
    ]
    for architecture in run.architectures {
      parts.append(try await run.kubespray.evaluationIdentity(for: architecture))
    }
    parts += contents.files.map { "\($0.key) \($0.value.map { "\($0)" } ?? "")" }.sorted()
    return Digest(of: Array(parts.joined(separator: "\n").utf8)).hex
  }
}

/// There is nothing to prove.
struct ProofImpossible: Error, CustomStringConvertible {
  var description: String {
    "there is no offline.yml to prove: the stage files has not been done. Make the bundle first: download-all"
  }
}
