import Bundle
import Console
import Glibc
import SystemPackage

/// Reads the bundle as it arrived and compares it with its manifest.
struct VerifyStep: Step {
  let name = StepName.verify

  func check(_ node: Node, _ journal: Journal) throws -> StepState {
    guard node.manifest != nil else {
      let unfinished = FileAttributes(node.bundle.appending(Manifest.unfinishedFileName)) != nil
      // The shell project's bundles have its lists and no manifest.
      let isForeign =
        !unfinished && FileAttributes(node.bundle.appending("files/files.list")) != nil
        && FileAttributes(node.bundle.appending("config.sh")) != nil
      guard isForeign else { throw UnfinishedBundle(bundle: node.bundle) }
      return .notApplicable("this bundle was made by the shell project: it has no manifest to compare with")
    }
    return .needed("the files are read again each time")
  }

  func apply(_ node: Node, _ journal: Journal) async throws -> String {
    guard let manifest = node.manifest else { throw UnfinishedBundle(bundle: node.bundle) }
    let stage = name.rawValue
    node.emit(.stageTotals(stage, items: manifest.files.count, bytes: manifest.totalSize))
    let verifier = BundleVerifier(
      outputs: node.bundle, manifest: manifest, parallel: max(2, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
    let emit = node.emit
    let problems = try await verifier.verify {
      emit(.bytes(stage, $0))
    } onFile: { file, problem in
      let outcome = problem.map { ItemOutcome.failed("\($0.kind): \($0.detail)") } ?? .done
      emit(.itemFinished(stage, item: file.path.description, outcome, bytes: file.size))
    }
    let unexpected = problems.compactMap { if case .unexpected(let path) = $0 { path } else { nil } }
    if !unexpected.isEmpty {
      let shown = unexpected.prefix(5).joined(separator: ", ")
      let rest = unexpected.count > 5 ? " and \(unexpected.count - 5) more" : ""
      node.say(.warning, "not in the manifest, so nobody vouches for it: \(shown)\(rest)", step: name)
    }
    let wrong = problems.filter { if case .unexpected = $0 { false } else { true } }
    guard wrong.isEmpty else { throw DamagedBundle(bundle: node.bundle, problems: wrong) }
    return "\(manifest.files.count) files are whole, \(ByteCount.format(manifest.totalSize))"
  }
}

/// A folder without a finished bundle.
struct UnfinishedBundle: Error, CustomStringConvertible {
  let bundle: FilePath

  var description: String {
    "\(bundle) has no \(Manifest.fileName): there is no bundle, or it was not finished or not copied to its end. "
      + "Run download-all to its end and copy the whole folder; --bundle DIR names another one."
  }
}

/// A bundle of which something was lost on its way.
struct DamagedBundle: Error, CustomStringConvertible {
  let bundle: FilePath
  let problems: [BundleVerifier.Problem]

  var description: String {
    let shown = problems.prefix(20).map { "  \($0.path): \($0.kind): \($0.detail)" }
    let rest = problems.count > shown.count ? ["  and \(problems.count - shown.count) more"] : []
    return "\(problems.count) of the files in \(bundle) are not as they were made:\n"
      + (shown + rest).joined(separator: "\n")
      + "\nCopy them again from where the bundle was made, or go on at your own risk with --skip-verify."
  }
}
