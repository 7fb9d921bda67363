import Bundle
import Console
import Integrity
import TestServer
import Testing

@testable import DownloadAll

/// The images of a running cluster, by the real kubectl and a stand-in of the API server.
@Suite(
  .enabled(if: ClusterFixture.hasKubectl, "kubectl is needed (Debian: kubernetes-client)"),
  .timeLimit(.minutes(10)))
struct ClusterImagesTests {
  let fixture: ClusterFixture

  init() throws { fixture = try ClusterFixture() }

  private func names(_ found: ClusterImages.Found) -> [String] { found.images.map(\.reference.description) }

  @Test func everythingThatRunsIsListedOnce() async throws {
    let digest = "sha256:" + String(repeating: "ab", count: 32)
    fixture.objects(
      "Pod",
      [
        ClusterFixture.pod(
          "web", "nginx:1.29.4", "docker.io/library/nginx:1.29.4",
          more:
            #","initContainers":[{"name":"i","image":"busybox"}],"ephemeralContainers":[{"name":"e","image":"quay.io/tools/debug:1"}],"volumes":[{"name":"v","image":{"reference":"quay.io/models/one:2"}},{"name":"w","emptyDir":{}}]"#
        )
      ],
      [ClusterFixture.pod("pinned", "quay.io/x/y@\(digest)", "index.docker.io/library/nginx:1.29.4")])
    let template = #"{"spec":{"containers":[{"name":"c","image":"quay.io/jobs/once:1"}]}}"#
    fixture.objects(
      "Job", [#"{"metadata":{"name":"once","namespace":"a"},"spec":{"template":\#(template)}}"#])
    let nightly = template.replacing("once", with: "nightly")
    fixture.objects(
      "CronJob",
      [#"{"metadata":{"name":"n","namespace":"a"},"spec":{"jobTemplate":{"spec":{"template":\#(nightly)}}}}"#]
    )
    fixture.objects(
      "Node",
      [
        #"{"metadata":{"name":"node1"},"status":{"images":[{"names":["registry.k8s.io/pause@\#(digest)","registry.k8s.io/pause:3.10.1"]},{"names":["quay.io/coreos/etcd:v3.6.6"]},{"names":["quay.io/unused/big:1"]}]}}"#
      ])
    let found = try await fixture.cluster().read()
    #expect(
      names(found) == [
        "docker.io/library/busybox:latest", "docker.io/library/nginx:1.29.4", "quay.io/coreos/etcd:v3.6.6",
        "quay.io/jobs/nightly:1", "quay.io/jobs/once:1", "quay.io/models/one:2", "quay.io/tools/debug:1",
        "quay.io/x/y@\(digest)", "registry.k8s.io/pause:3.10.1",
      ])
    #expect(found.warnings.isEmpty)
    let origin = try #require(found.images.first { $0.reference.repository == "jobs/once" }?.origin)
    #expect(origin == "the cluster of context admin@test, job a/once")
    #expect(fixture.server.requests(for: "/api/v1/pods").count == 2)
  }

  @Test func anEmptyClusterIsAnErrorAndNoEmptyList() async throws {
    let error = await #expect(throws: ClusterError.self) { try await fixture.cluster().read() }
    #expect("\(error.map { "\($0)" } ?? "")".contains("the cluster of context admin@test runs nothing"))
  }

  @Test(arguments: ["Pod", "CronJob"]) func whatMayNotBeListedIsAnError(kind: String) async throws {
    fixture.objects("Pod", [ClusterFixture.pod("web", "nginx:1.29.4")])
    fixture.forbid(kind)
    let error = await #expect(throws: ClusterError.self) { try await fixture.cluster().read() }
    let text = error.map { Problem($0).description } ?? ""
    #expect(text.contains("cannot list resource") && text.contains("--kubeconfig FILE"))
    #expect(!text.contains("secret-of-the-cluster"))
  }

  @Test func withoutTheNodesTheCatalogMustDo() async throws {
    fixture.objects("Pod", [ClusterFixture.pod("web", "nginx:1.29.4")])
    fixture.forbid("Node")
    let found = try await fixture.cluster(hasCatalog: true).read()
    #expect(names(found) == ["docker.io/library/nginx:1.29.4"])
    #expect(found.warnings.first?.contains("only the images of kubespray's catalog are carried") == true)
    await #expect(throws: ClusterError.self) { try await fixture.cluster(hasCatalog: false).read() }
  }

  @Test func aNameThatIsNoneIsToldAndPassedOver() async throws {
    fixture.objects("Pod", [ClusterFixture.pod("typo", "Nginx:1"), ClusterFixture.pod("web", "nginx:1", "")])
    let found = try await fixture.cluster().read()
    #expect(names(found) == ["docker.io/library/nginx:1"])
    #expect(found.warnings.contains { $0.contains("pod default/typo") && $0.contains("lower case") })
  }

  @Test func withoutKubectlOrItsFileTheErrorSaysSo() async throws {
    let missing = await #expect(throws: ClusterError.self) {
      try await fixture.cluster(path: "/nonexistent").read()
    }
    #expect("\(missing.map { "\($0)" } ?? "")".contains("kubectl, which asks the cluster, is not installed"))
    let file = await #expect(throws: ClusterError.self) {
      try await fixture.cluster(kubeconfig: "/nonexistent/config").read()
    }
    #expect("\(file.map { "\($0)" } ?? "")".contains("/nonexistent/config: no such file or directory"))
    fixture.server.stop()
    let unreachable = await #expect(throws: ClusterError.self) { try await fixture.cluster().read() }
    #expect("\(unreachable.map { "\($0)" } ?? "")".contains("connection"))
  }
}
