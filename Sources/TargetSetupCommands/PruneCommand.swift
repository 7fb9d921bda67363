import ArgumentParser
import CommandSupport
import Console
import SystemPackage
import TargetSetup

/// Removes what no kept release needs.
struct PruneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune", abstract: "Remove releases from this host, and what no other one needs.",
    discussion: """
      Without --apply nothing is changed: it shows which releases there are, what
      would go, what stays, and how many bytes the disk gets back. Releases go only
      when they are named; the one that was set up last stays always.

      What goes of a release: the files, packages and wheels that are served, its
      images in the registry, its kubespray tree with the environment beside it,
      and the folder of its bundle. What another release has too stays. So does
      what somebody else has put there, in the registry or in a folder, and what a
      cluster runs, if its kubeconfig is given. Names in the registry are removed,
      then its own garbage collection runs; it is served all the time, but takes no
      pushes meanwhile.

      A run that was stopped goes on with: target-setup prune --apply
      "status" shows what was pruned.
      """)

  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Option(
    help: .init(
      "A release that goes: its kubespray version, or the first 8 digits of its bundle's id; may be repeated.",
      valueName: "release"))
  var drop: [String] = []

  @Flag(help: "Do it.")
  var apply = false

  @Option(
    help: .init(
      "Ask the cluster of this kubeconfig what it runs, with kubectl or over HTTPS: that stays.",
      valueName: "file"),
    completion: .file())
  var kubeconfig: [String] = []

  @Flag(help: "Leave the folders of bundles.")
  var keepBundles = false

  func run() async throws {
    try requireRoot("target-setup prune")
    let console = output.console()
    let context = try options.context(console, output.events(console))
    let (drop, kubeconfigs, keepsBundles, apply) = (drop, kubeconfig.map { FilePath($0) }, keepBundles, apply)
    let (plan, freed) = try await Interruption.watching(console) {
      try await withTicking(console) {
        let cluster = try await ClusterUse.ask(kubeconfigs, context)
        let run = PruneRun(context, dropping: drop, cluster: cluster, keepsBundles: keepsBundles)
        guard apply else { return (try await run.plan(), Int64?.none) }
        let report = try await run.apply()
        return (report.plan, report.freed)
      }
    }
    if output.json { return try printJSON(PruneResult(plan: plan, freed: freed)) }
    Self.show(plan, console)
    console.finish(Self.outcome(plan, freed))
  }

  /// Shows for people what goes and what stays.
  static func show(_ plan: PrunePlan, _ console: Console) {
    console.table(
      ["RELEASE", "BUNDLE", "STAYS", "WOULD FREE"],
      plan.releases.map { release in
        [
          release.kubespray, String(release.id.prefix(8)),
          "\(release.isKept ? "yes" : "no"), \(release.reason)",
          release.wouldFree.map { ByteCount.format($0) } ?? "-",
        ]
      }, rightAligned: [3])
    console.table(
      ["GOES", "OF", "WHAT", "SIZE"],
      plan.items.map { [$0.kind, $0.release ?? "-", $0.what, ByteCount.format($0.bytes)] }, rightAligned: [3])
    let most = 20
    var kept = plan.kept.prefix(most).map { [$0.what, $0.reason] }
    if plan.kept.count > most { kept.append(["\(plan.kept.count - most) more", "see --json"]) }
    console.table(["STAYS ALL THE SAME", "BECAUSE"], kept)
  }

  static func outcome(_ plan: PrunePlan, _ freed: Int64?) -> String {
    if let freed {
      guard !plan.items.isEmpty || plan.isUnfinished else { return "there was nothing to remove" }
      return "\(ByteCount.format(freed)) of \(ByteCount.format(plan.bytes)) are free again"
    }
    if plan.isUnfinished {
      return
        "a pruning was begun and stopped: target-setup prune --apply ends it. \(ByteCount.format(plan.bytes)) are to go"
    }
    if plan.items.isEmpty {
      return "nothing is superfluous. Name a release to remove it: target-setup prune --drop RELEASE"
    }
    return "\(ByteCount.format(plan.bytes)) would be free. Nothing was changed: --apply does it"
  }
}

/// What a pruning came to, for scripts.
private struct PruneResult: Encodable {
  let plan: PrunePlan
  let freed: Int64?
}
