/// Which type does which step.
enum StepTable {
  /// The step of that name.
  static func step(_ name: StepName) -> any Step {
    switch name {
    case .verify: VerifyStep()
    case .containerd: ContainerdStep()
    case .nginx: NginxStep()
    case .offlineRepo: MissingStep(name: name)
    case .python: MissingStep(name: name)
    case .registry: RegistryStep()
    case .loadPush: LoadPushStep()
    case .extract: MissingStep(name: name)
    case .ansible: MissingStep(name: name)
    }
  }
}

/// A step that this version does not have.
struct MissingStep: Step {
  let name: StepName

  func check(_ node: Node, _ journal: Journal) -> StepState { .notApplicable("not in this version") }

  func apply(_ node: Node, _ journal: Journal) throws -> String {
    throw StepError("step \(name.rawValue) is not in this version")
  }
}
