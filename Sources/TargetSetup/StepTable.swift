import Settings

/// Which type does which step.
enum StepTable {
  /// The step of that name.
  static func step(_ name: StepName, _ configuration: Configuration) -> any Step {
    switch name {
    case .verify: VerifyStep()
    case .containerd: ContainerdStep()
    case .nginx: NginxStep()
    case .offlineRepo: OfflineRepoStep()
    case .python: PythonStep()
    case .registry: RegistryStep()
    case .loadPush: LoadPushStep()
    case .registryClient: RegistryClientStep()
    case .extract: ExtractStep()
    case .ansible: configuration.python.ansibleInContainer ? AnsibleContainerStep() : AnsibleStep()
    }
  }
}
