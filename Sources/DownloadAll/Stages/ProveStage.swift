import Bundle

/// Wants nothing in the bundle: when all other stages are done, the pipeline lets ``ProofRun`` look at what they made.
struct ProveStage: Stage {
  let name = StageName.prove
  let needs: [StageName] = [.py]

  func artifacts(_ run: RunContext) async throws -> [Artifact] { [] }
}
