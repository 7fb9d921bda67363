struct RegistryStep: Step {
  let name = StepName.registry

  func check(_ node: Node, _ journal: Journal) -> StepState { .notApplicable("not in this version") }

  func apply(_ node: Node, _ journal: Journal) throws -> String { throw StepError("not in this version") }
}
