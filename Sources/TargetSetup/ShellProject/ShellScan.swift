import Archive
import Bundle
import Concurrency
import Files
import Integrity
import Registry
import SystemPackage

/// Looks through a bundle of the shell project, as far as its own lists and indexes tell what should be there.
///
/// Digests are in the indexes of packages, in image archives, and for most of `files/` in kubespray's own checksums; of
/// an archive without a checksum, at least its end is looked for.
struct ShellScan: Sendable {
  /// What was found.
  struct Findings: Sendable {
    /// What a list names and is not there: sentences without a full stop.
    var missing: [String] = []
    /// Files that are not as they were made, with the reason.
    var damaged: [(path: String, reason: String)] = []
    /// Files that look complete but have no checksum.
    var unproven: [String] = []
    /// Files that were read.
    var count = 0
    /// Their bytes.
    var bytes: Int64 = 0
  }

  /// One file to read, and how it is proved.
  private struct Job: Sendable {
    enum Proof: Sendable {
      case digest(Digest)
      case image
      /// One of kubespray's checksums, or else its end.
      case checksums
    }
    let path: String
    let size: Int64
    let proof: Proof
  }

  let bundle: ShellBundle
  /// How many files are read at once.
  let parallel: Int

  /// Reads all of it.
  ///
  /// - Parameters:
  ///   - onTotals: Called once with the number of files and their bytes.
  ///   - onFile: Called after each file, with what is wrong with it.
  /// - Throws: `CancellationError`.
  func run(
    onTotals: @Sendable (Int, Int64) -> Void, onFile: @escaping @Sendable (String, Int64, String?) -> Void
  ) async throws -> Findings {
    var findings = Findings()
    let tarball = await kubespray(&findings)
    var jobs: [Job] = []
    lists(&findings)
    images(&findings, &jobs)
    for path in bundle.files(below: "files") where !path.hasSuffix(".list") && !isKubespray(path) {
      jobs.append(Job(path: path, size: size(path), proof: .checksums))
    }
    for index in bundle.files(below: "debs") where index.hasSuffix("/Packages") {
      packages(ShellIndexes.debian(bundle.text(index)), index, &findings, &jobs)
    }
    for index in bundle.files(below: "rpms") where index.hasSuffix("/repodata/repomd.xml") {
      await rpms(index, &findings, &jobs)
    }
    wheels(&findings, &jobs)
    findings.count = jobs.count
    findings.bytes = jobs.byteSum(of: \.size)
    onTotals(findings.count, findings.bytes)
    let known = tarball?.checksums ?? []
    await forEachConcurrently(jobs, limit: parallel) { [self] job in
      await offload { prove(job, known) }
    } onResult: { job, result in
      if let problem = result.problem { findings.damaged.append((job.path, problem)) }
      if !result.isProved, result.problem == nil { findings.unproven.append(job.path) }
      onFile(job.path, job.size, result.problem)
    }
    try Task.checkCancellation()
    findings.damaged.sort { $0.path < $1.path }
    findings.unproven.sort()
    return findings
  }

  // MARK: What should be there

  private func isKubespray(_ path: String) -> Bool {
    path.hasPrefix("files/kubespray-") && path.hasSuffix(".tar.gz")
  }

  private func kubespray(_ findings: inout Findings) async -> KubesprayTarball? {
    let tarballs = bundle.files(below: "files").filter(isKubespray)
    if tarballs.isEmpty { findings.missing.append("files/kubespray-VERSION.tar.gz: there is no kubespray") }
    var found: KubesprayTarball?
    for path in tarballs {
      do {
        let tarball = try await offload { [self] () throws in try KubesprayTarball(place(path)) }
        if tarball.checksums.isEmpty {
          findings.damaged.append((path, "it holds no kubespray: there is no checksums.yml in it"))
        }
        found = tarball
      } catch {
        findings.damaged.append((path, "\(error)"))
      }
    }
    return found
  }

  private func lists(_ findings: inout Findings) {
    let present = Set(bundle.files(below: "files"))
    let names = Set(present.compactMap { $0.split(separator: "/").last })
    for url in bundle.list("files/files.list") {
      guard let path = ShellLayout.path(url), !present.contains("files/\(path)") else { continue }
      let name = path.split(separator: "/").last ?? ""
      if !names.contains(name) { findings.missing.append("files/\(path), which files.list names as \(url)") }
    }
  }

  private func images(_ findings: inout Findings, _ jobs: inout [Job]) {
    for image in bundle.images() where image.archive == nil {
      findings.missing.append("the archive of \(image.name), which \(image.list) names")
    }
    for path in bundle.files(below: "images") where path.hasSuffix(".tar.gz") {
      jobs.append(Job(path: path, size: size(path), proof: .image))
    }
  }

  private func packages(
    _ entries: [ShellIndexes.Entry], _ index: String, _ findings: inout Findings, _ jobs: inout [Job]
  ) {
    let present = Set(bundle.files)
    let folder = index.split(separator: "/").dropLast(index.hasSuffix(".xml") ? 2 : 1).joined(separator: "/")
    for entry in entries {
      let path = "\(folder)/\(entry.path)"
      guard present.contains(path) else {
        findings.missing.append("\(path), which \(index) names")
        continue
      }
      jobs.append(Job(path: path, size: size(path), proof: .digest(entry.digest)))
    }
  }

  private func rpms(_ index: String, _ findings: inout Findings, _ jobs: inout [Job]) async {
    do {
      let primary = try await offload { [self] () throws in
        try ShellIndexes.rpm(place(index).removingLastComponent().removingLastComponent())
      }
      packages(primary, index, &findings, &jobs)
    } catch {
      findings.damaged.append((index, "\(error)"))
    }
  }

  /// A mirror of pypi-mirror has a folder with an index for each project, and all files in `files`, to which it has links
  /// in the folders; a FAT disk loses them, and the web server does without.
  private func wheels(_ findings: inout Findings, _ jobs: inout [Job]) {
    let present = Set(bundle.files)
    var seen: Set<String> = []
    for index in bundle.files(below: "pypi")
    where index.hasSuffix("/index.html") && index != "pypi/index.html" {
      for (name, digest) in ShellIndexes.python(bundle.text(index)) {
        let own = index.dropLast("index.html".count) + name
        let path = present.contains(String(own)) ? String(own) : "pypi/files/\(name)"
        guard present.contains(path) else {
          findings.missing.append("\(path), which \(index) names")
          continue
        }
        guard let digest, seen.insert(path).inserted else { continue }
        jobs.append(Job(path: path, size: size(path), proof: .digest(digest)))
      }
    }
  }

  // MARK: The proof

  private func prove(_ job: Job, _ known: Set<String>) -> (isProved: Bool, problem: String?) {
    let path = place(job.path)
    do {
      guard job.size > 0 else { return (false, "it is empty") }
      switch job.proof {
      case .digest(let wanted):
        let actual = try Digest(ofFile: path, algorithm: wanted.algorithm)
        return (true, actual == wanted ? nil : "it has the digest \(actual) instead of \(wanted)")
      case .image:
        _ = try ImageArchiveReader.verifyNames(path)
        return (true, nil)
      case .checksums:
        if known.contains(try Digest(ofFile: path).hex) { return (true, nil) }
        if [".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".zip"].contains(where: job.path.hasSuffix) {
          // What is behind the last entry is read too.
          try ArchiveReader.entries(of: path) { _ in }
        }
        return (false, nil)
      }
    } catch {
      return (false, "\(error)")
    }
  }

  private func place(_ path: String) -> FilePath { bundle.folder.pushing(FilePath(path)) }

  private func size(_ path: String) -> Int64 { (try? FileInfo(place(path)))?.size ?? 0 }
}
