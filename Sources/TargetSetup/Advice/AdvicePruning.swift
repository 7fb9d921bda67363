/// What helps against a problem of pruning.
extension StepAdvice {
  /// The sentences for people.
  var pruneSentence: String {
    switch self {
    case .release: "See which there are with: target-setup prune"
    case .lastBundle(let folder): "Prune from there: sh ./target-setup prune, in \(folder)"
    case .upgradeFirst:
      "Upgrade it first, or keep the release. Without --kubeconfig nobody asks the cluster. Nothing was changed."
    case .clusterAccess:
      "Nothing was changed. Name a kubeconfig that works from this host (kubectl --kubeconfig FILE get nodes), or leave "
        + "--kubeconfig out: then nobody asks the cluster."
    default:
      "Correct the cause and give \"target-setup prune --apply\" again: it goes on where it was stopped."
    }
  }
}
