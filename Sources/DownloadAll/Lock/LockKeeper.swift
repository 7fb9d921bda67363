import Bundle
import Files
import Integrity
import Kubespray
import Mirrors
import Registry
import Settings
import Synchronization
import SystemPackage

/// The lock of a run: what a locked run is held to, and what any run finds that the next lock has.
final class LockKeeper: Sendable {
  /// What stages have found that no manifest has.
  private struct Found {
    var charts: [BundleLock.Chart] = []
    var mirrors: [String: (asked: [String], resolution: MirrorResolution)] = [:]
    var bases: [ImageReference: BundleLock.Base] = [:]
  }

  /// Where the lock lies.
  let path: FilePath
  /// What the run is held to; `nil` for one that makes a lock of what it finds.
  let lock: BundleLock?
  /// The files that the lock has: where from, and what they must be. Nothing is known of where from for what this
  /// machine had.
  private let pins: [BundlePath: (url: String?, sha256: Digest)]
  private let found = Mutex(Found())

  /// Reads the lock of a run that is to be held to it.
  ///
  /// - Throws: ``LockUnusable``; ``LockContradicted``.
  init(_ job: Job) throws {
    path = job.configuration.lock
    let lock = job.configuration.locked ? try BundleLock.load(path) : nil
    self.lock = lock
    pins = try lock.map(Self.pins) ?? [:]
    guard let lock else { return }
    let (wanted, known) = (job.platforms.joined(separator: " "), lock.platforms.joined(separator: " "))
    try Self.check([wanted == known ? nil : "platforms are \(wanted), those of the lock \(known)"])
    try Self.check(Self.otherMirrors(lock, job))
  }

  private static func pins(of lock: BundleLock) throws -> [BundlePath: (url: String?, sha256: Digest)] {
    var pins: [BundlePath: (url: String?, sha256: Digest)] = [:]
    for file in lock.files { pins[file.path] = (file.url, file.sha256) }
    for (folder, mirror) in lock.mirrors {
      for file in mirror.files {
        let isLocal = file.url.lowercased().hasPrefix("file:")
        pins[try BundlePath("\(folder)/\(file.path)")] = (isLocal ? nil : file.url, file.sha256)
      }
    }
    return pins
  }

  private static func check(_ lines: [String?]) throws(LockContradicted) {
    let lines = lines.compactMap(\.self)
    guard lines.isEmpty else { throw LockContradicted(cause: .settings, lines: lines) }
  }

  /// The repositories that only the settings or only the lock want.
  private static func otherMirrors(_ lock: BundleLock, _ job: Job) -> [String] {
    // Targets that no run can collect for are the stage's to report.
    guard let targets = try? job.packageTargets() else { return [] }
    let wanted = Set(targets.map(\.folder) + (job.configuration.pypi.skip ? [] : ["pypi"]))
    func setting(_ folder: String) -> String {
      folder == "pypi" ? "pypi.skip" : job.configuration.packages.skip ? "packages.skip" : "packages.targets"
    }
    return wanted.subtracting(lock.mirrors.keys).sorted().map {
      "\(setting($0)) wants \($0), which is not in the lock"
    }
      + Set(lock.mirrors.keys).subtracting(wanted).sorted().map {
        "\(setting($0)) leaves out \($0), which is in the lock"
      }
  }

  /// Whether the run is held to a lock.
  var isLocked: Bool { lock != nil }

  // MARK: What a locked run is held to

  /// Holds the version to the lock, before anything is fetched.
  ///
  /// - Throws: ``LockContradicted``.
  func check(_ version: KubesprayVersion) throws {
    guard let lock, lock.kubespray != version.name else { return }
    try Self.check(["kubespray.version is \(version.name), that of the lock \(lock.kubespray)"])
  }

  /// Holds the source to the lock, before anything of it is run.
  ///
  /// - Throws: ``LockContradicted``; `FileError` when the tarball cannot be read.
  func check(_ copy: WorkingCopy, from origin: String, at reference: String?) throws {
    guard let source = lock?.source else { return }
    guard source.origin == origin else {
      return try Self.check(["kubespray.source is \(origin), that of the lock \(source.origin)"])
    }
    guard source.reference == reference else {
      let (new, old) = (reference ?? "no reference", source.reference ?? "no reference")
      return try Self.check(["kubespray.source names \(new), that of the lock \(old)"])
    }
    let digest = try Digest(ofFile: copy.tarball)
    guard digest != source.sha256 else { return }
    let content = copy.sourceTree == source.tree ? ", packed of the same files" : ""
    throw LockContradicted(
      cause: .upstream,
      lines: [
        "\(copy.version.tarballName) of \(origin): the lock has \(source.sha256), and now it is \(digest)\(content)"
      ])
  }

  /// What the lock has for the question of a mirror.
  ///
  /// - Throws: ``LockContradicted`` when the question is another one; what the mirror threw.
  func resolution(of mirror: any Mirrors.Mirror) throws -> MirrorResolution? {
    guard let lock else { return nil }
    let folder = mirror.folder.description
    guard let pinned = lock.mirrors[folder] else {
      throw LockContradicted(cause: .settings, lines: ["\(folder) is not in the lock"])
    }
    let asked = Set(try mirror.asked())
    let before = Set(pinned.asked)
    try Self.check(
      asked.subtracting(before).sorted().map { "\(folder): \"\($0)\" is asked for, and not in the lock" }
        + before.subtracting(asked).sorted().map { "\(folder): \"\($0)\" is in the lock, and not asked for" })
    return pinned.resolution
  }

  /// What the registry is asked for in place of a tag.
  func pin(of image: ImageReference) -> ImagePin? {
    lock?.images.first { $0.reference == image && $0.isAssembled != true }.map { locked in
      ImagePin(digest: locked.digest, attached: locked.attached?.map { ($0.digest, $0.tag) })
    }
  }

  /// The digest of what an image is to be assembled on; `nil` when nothing is said of it.
  ///
  /// - Throws: ``LockContradicted`` when the lock has another base.
  func base(_ reference: ImageReference, of image: ImageReference) throws -> Digest? {
    guard let base = lock?.images.first(where: { $0.reference == image })?.base else { return nil }
    guard base.reference == reference else {
      try Self.check(["python.ansible_base is \(reference), that of the lock \(base.reference)"])
      return nil
    }
    return base.digest
  }

  /// What the index of a repository of charts had said of a chart, and the digest of the chart.
  func chart(_ chart: CatalogChart) -> BundleLock.Chart? {
    lock?.charts.first {
      $0.repository == chart.repository && $0.name == chart.name && $0.version == chart.version
    }
  }

  /// Gives what a stage wants in the bundle the digests of the lock.
  ///
  /// - Throws: ``LockContradicted`` when it wants other things.
  func pin(_ artifacts: [Artifact], of stage: StageName) throws(LockContradicted) -> [Artifact] {
    guard let lock else { return artifacts }
    var lines: [String] = []
    // What could not be had when the lock was made, and nothing needs, is not in it.
    let artifacts = artifacts.filter { artifact in
      guard artifact.purpose != nil else { return true }
      return artifact.pulledImage.map { pin(of: $0) != nil } ?? (pins[artifact.path] != nil)
    }
    let pinned = artifacts.map { artifact in
      var artifact = artifact
      // What is not there is missing, whoever asks for it.
      artifact.isOptional = false
      artifact.purpose = nil
      if let reference = artifact.pulledImage {
        if pin(of: reference) == nil { lines.append("image \(reference) is wanted, and not in the lock") }
        return artifact
      }
      guard let pin = pins[artifact.path] else {
        if let origin = artifact.recordedOrigin, stage != .kubespray {
          lines.append("\(artifact.path) (\(origin)) is wanted, and not in the lock")
        }
        return artifact
      }
      if let url = pin.url, let origin = artifact.recordedOrigin, url != origin {
        lines.append("\(artifact.path) is wanted from \(origin), and the lock has it from \(url)")
      }
      if let digest = artifact.digest, digest.algorithm == .sha256, digest != pin.sha256 {
        lines.append("\(artifact.path) is wanted with \(digest), and the lock has it with \(pin.sha256)")
      }
      artifact.digest = artifact.digest ?? pin.sha256
      return artifact
    }
    lines += unwanted(of: stage, artifacts, lock)
    guard lines.isEmpty else { throw LockContradicted(cause: .settings, lines: lines.sorted()) }
    return pinned
  }

  /// What the lock has of a stage and nobody wants.
  private func unwanted(of stage: StageName, _ artifacts: [Artifact], _ lock: BundleLock) -> [String] {
    switch stage {
    case .files:
      let wanted = Set(artifacts.map(\.path))
      return lock.files.map(\.path).filter { !wanted.contains($0) }.map {
        "\($0) is in the lock, and not wanted"
      }
    case .images:
      let wanted = Set(artifacts.compactMap(\.pulledImage))
      return lock.images.filter { $0.isAssembled != true && !wanted.contains($0.reference) }.map {
        "image \($0.reference) is in the lock, and not wanted"
      }
    default: return []
    }
  }

  // MARK: What the next lock has

  /// Notes what the index of a repository of charts says of a chart.
  func note(_ chart: CatalogChart, _ listing: ChartListing, _ sha256: Digest) {
    let entry = BundleLock.Chart(
      repository: chart.repository, name: chart.name, version: chart.version,
      listing: listing.withoutCredentials, sha256: sha256)
    found.withLock { found in
      if !found.charts.contains(entry) { found.charts.append(entry) }
    }
  }

  /// Notes what an image was assembled on.
  func note(_ base: BundleLock.Base, of image: ImageReference) {
    // A lock of an earlier version has none, and could not be compared.
    guard lock == nil || lock?.images.first(where: { $0.reference == image })?.base != nil else { return }
    found.withLock { $0.bases[image] = base }
  }

  /// Notes what a solver has decided.
  func note(_ folder: BundlePath, asked: [String], _ resolution: MirrorResolution) {
    found.withLock { $0.mirrors[folder.description] = (asked, resolution) }
  }

  /// The lock of what a run has found; `nil` for a bundle without kubespray.
  ///
  /// - Parameters:
  ///   - files: What the bundle has.
  ///   - ansible: What has evaluated kubespray.
  func newLock(
    of files: [ManifestFile], _ job: Job, _ source: KubesprayWorkshop.Source, _ ansible: PinnedPackages?
  ) -> BundleLock? {
    let found = self.found.withLock(\.self)
    let byPath = Dictionary(files.map { ($0.path.description, $0) }) { first, _ in first }
    guard let tarball = byPath["files/\(source.copy.version.tarballName)"] else { return nil }
    var lock = BundleLock(
      kubespray: source.copy.version.name, platforms: job.platforms,
      source: BundleLock.Source(
        origin: source.repository, sha256: tarball.sha256, tree: source.copy.sourceTree,
        commit: source.copy.commit, reference: source.reference),
      files: [], charts: found.charts, images: files.compactMap { Self.image($0, found.bases) }, mirrors: [:],
      ansible: ansible)
    lock.charts.sort { ($0.repository, $0.name, $0.version) < ($1.repository, $1.name, $1.version) }
    lock.images.sort { $0.reference < $1.reference }
    for file in files.sorted(by: { $0.path < $1.path }) where file.stage == .files {
      if let url = file.url {
        lock.files.append(BundleLock.File(path: file.path, url: url, sha256: file.sha256))
      }
    }
    for (folder, mirror) in found.mirrors {
      let prefix = folder + "/"
      let own = byPath.filter { $0.key.hasPrefix(prefix) }.map {
        (String($0.key.dropFirst(prefix.count)), $0.value.sha256)
      }
      lock.mirrors[folder] = BundleLock.Mirror(
        mirror.resolution, asked: mirror.asked, digests: Dictionary(own) { first, _ in first })
    }
    return lock
  }

  private static func image(
    _ file: ManifestFile, _ bases: [ImageReference: BundleLock.Base]
  ) -> BundleLock.Image? {
    guard let image = file.image else { return nil }
    guard file.verification != .generated else {
      return BundleLock.Image(
        reference: image.reference, digest: image.digest, isAssembled: true, base: bases[image.reference])
    }
    return BundleLock.Image(
      reference: image.reference, digest: image.reference.digest ?? image.served ?? image.digest,
      attached: image.attached)
  }
}
