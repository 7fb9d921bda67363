import Bundle
import Console

/// Shows what a proof found missing.
func showMissing(_ proof: ClosureProof, _ console: Console) {
  guard !proof.holds else { return }
  console.table(
    ["MISSING FOR", "ASKED FOR BY", "WANTED", "WHY"],
    proof.missing.map { [$0.component, $0.variable, $0.wanted, $0.reason] })
}
