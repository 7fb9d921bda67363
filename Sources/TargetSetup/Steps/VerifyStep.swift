import Bundle
import Console
import Files
import Settings
import Supply
import SystemPackage

/// Reads the bundle as it arrived and compares it with its manifest.
struct VerifyStep: Step {
  let name = StepName.verify

  func check(_ context: SetupContext, _ journal: Journal) throws -> StepState {
    guard context.bundle.manifest != nil || context.bundle.shell != nil else {
      throw StepError.unfinished(context.bundle.folder)
    }
    return .needed("the files are read again each time")
  }

  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String {
    if let shell = context.bundle.shell {
      guard !context.isQuick else {
        throw StepError("a bundle without a manifest does not say how large its files are", .remake)
      }
      guard context.damageList == nil else {
        throw StepError("a bundle without a manifest does not say what is damaged in it", .remake)
      }
      return try await scan(shell, context)
    }
    guard let manifest = context.bundle.manifest else {
      throw StepError.unfinished(context.bundle.folder)
    }
    let stage = name.rawValue
    context.emit(.stageTotals(stage, items: manifest.files.count, bytes: manifest.totalSize))
    let verifier = BundleVerifier(
      outputs: context.bundle.folder, manifest: manifest, depth: context.isQuick ? .sizes : .content)
    let emit = context.emit
    let problems = try await verifier.verify {
      emit(.bytes(stage, $0))
    } onFile: { file, problem in
      let outcome =
        problem.map {
          ItemOutcome.failed(.init(kind: $0.kind, subject: $0.path, detail: "\($0.kind): \($0.detail)"))
        } ?? .done
      emit(.itemFinished(stage, item: file.path.description, outcome, bytes: file.size))
    }
    if let list = context.damageList { try DamageList(problems, of: manifest).write(to: list) }
    let harmless = problems.filter(isHarmless)
    let unexpected = harmless.map(\.path)
    if !unexpected.isEmpty {
      let shown = unexpected.prefix(5).joined(separator: ", ")
      let rest = unexpected.count > 5 ? " and \(unexpected.count - 5) more" : ""
      context.say(
        .warning, "not listed in the manifest, and not used: \(shown)\(rest)", step: name)
    }
    let wrong = problems.filter { !isHarmless($0) }
    guard wrong.isEmpty else {
      let changed = wrong.lazy.compactMap { ChangedNames.found($0.path, in: context.bundle.folder) }.first
      if let changed {
        context.say(.warning, "a name has changed on the way: \(ChangedNames.remark(changed))", step: name)
      }
      throw DamagedBundle(
        bundle: context.bundle.folder, count: wrong.count,
        problems: wrong.map { "\($0.path): \($0.kind): \($0.detail)" })
    }
    tell(manifest.proof, context)
    guard !context.isQuick else {
      return "\(counted(manifest.files.count, "file has the right size", "files have the right sizes")), "
        + "\(ByteCount.format(manifest.totalSize)); no content was read"
    }
    return
      "\(counted(manifest.files.count, "file is", "files are")) intact, \(ByteCount.format(manifest.totalSize))"
  }
}

extension VerifyStep {
  /// What systems leave at the top of a disk is not used. Whatever is unknown in a folder that is used, is not harmless.
  private func isHarmless(_ problem: BundleVerifier.Problem) -> Bool {
    guard case .unexpected(let path) = problem else { return false }
    return !ArrivedBundle.usedFolders.contains { path == $0 || path.hasPrefix($0 + "/") }
  }

  /// What was found when the bundle was made: the last moment to fetch what is missing is before the cluster's.
  private func tell(_ proof: ClosureProof?, _ context: SetupContext) {
    guard let proof else { return }
    context.say(proof.holds ? .info : .warning, proof.summary, step: name)
    for missing in proof.missing.prefix(20) {
      context.say(
        .warning,
        "\(missing.component) (\(missing.variable)) will ask for \(missing.wanted): \(missing.reason)",
        step: name)
    }
  }

  /// Without a manifest the bundle's own lists say what should be there. What is missing is reported; what is there and
  /// damaged is a failure, as for every bundle.
  private func scan(_ shell: ShellBundle, _ context: SetupContext) async throws -> String {
    let (stage, emit) = (name.rawValue, context.emit)
    context.say(
      .warning,
      "this bundle was made by the shell project kubespray-offline and has no manifest: its lists and indexes are "
        + "compared with what is there", step: name)
    for remark in shell.remarks { context.say(.warning, remark, step: name) }
    let findings = try await ShellScan(bundle: shell, parallel: BundleVerifier.readers).run { count, bytes in
      emit(.stageTotals(stage, items: count, bytes: bytes))
    } onFile: { path, size, problem in
      emit(.bytes(stage, size))
      emit(
        .itemFinished(
          stage, item: path,
          problem.map { .failed(.init(kind: "damaged", subject: path, detail: $0)) } ?? .done, bytes: size))
    }
    func tell(_ items: [String], _ text: (String, String)) {
      guard !items.isEmpty else { return }
      let rest = items.count > 20 ? ["  and \(items.count - 20) more"] : []
      let lines = items.prefix(20).map { "  \($0)" } + rest
      let count = items.count == 1 ? text.0 : "\(items.count) \(text.1)"
      context.say(.warning, "\(count):\n\(lines.joined(separator: "\n"))", step: name)
    }
    tell(
      findings.missing,
      ("one thing is missing; what needs it will fail", "things are missing; what needs them will fail"))
    tell(
      findings.unproven,
      (
        "no checksum of this file was published",
        "files look complete and have no checksum to compare with"
      ))
    guard findings.damaged.isEmpty else {
      throw DamagedBundle(
        bundle: context.bundle.folder, count: findings.damaged.count,
        problems: findings.damaged.map { "\($0.path): \($0.reason)" })
    }
    let found =
      "no manifest; \(counted(findings.count, "file")) looked through, \(ByteCount.format(findings.bytes))"
    return findings.missing.isEmpty ? found : "\(found); \(findings.missing.count) missing, see above"
  }
}

/// A bundle of which something was lost on its way.
struct DamagedBundle: Error, CustomStringConvertible {
  let bundle: FilePath
  let count: Int
  let problems: [String]

  var description: String {
    let shown = problems.prefix(20).map { "  \($0)" }
    let rest = count > shown.count ? ["  and \(count - shown.count) more"] : []
    return "\(count) of the files in \(bundle) are not as they were made:\n"
      + (shown + rest).joined(separator: "\n")
  }
}
