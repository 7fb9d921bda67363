import TargetSetup
import Testing

@Suite("Steps")
struct StepNameTests {
  @Test("all leaves out Ansible's environment, and only verify needs no root")
  func all() {
    #expect(
      StepName.all.map(\.rawValue) == [
        "verify", "containerd", "nginx", "offline-repo", "python", "registry", "load-push", "extract",
      ])
    #expect(StepName.allCases.filter { !$0.needsRoot } == [.verify])
  }
}
