import Testing

@testable import TargetSetup

@Suite("What nodes ask for")
struct RequestWatchTests {
  private static func line(_ path: String, _ status: Int, client: String = "10.77.0.11") -> String {
    "\(client) [30/Nov/2026:07:31:46 +0000] \"GET \(path) HTTP/1.1\" \(status) 153 \"ansible-httpget\""
  }

  @Test(
    "a path is told as what it is for",
    arguments: [
      ("/files/kubernetes/v1.34.9/kubelet", .file("kubernetes/v1.34.9/kubelet")),
      ("/files/v1%2Ba.tar.gz", .file("v1+a.tar.gz")),
      ("/releases/2.29.1/files/runc/v1/runc.amd64", .file("runc/v1/runc.amd64", release: "2.29.1")),
      ("/releases/2.29.1/debs/local/pkgs/a.deb", .package("debs/local/pkgs/a.deb", release: "2.29.1")),
      ("/releases/2.29.1/debs/local/InRelease", nil), ("/releases/2.29.1/pypi/", nil), ("/releases/", nil),
      ("/releases/2.29.1/pypi/ansible/", .wheel("ansible", release: "2.29.1")),
      ("/debs/local/InRelease", nil), ("/debs/local/pkgs/a.deb", .package("debs/local/pkgs/a.deb")),
      ("/pypi/ansible/", .wheel("ansible")), ("/", nil), ("/v2/", nil),
      ("/v2/library/nginx/manifests/1?ns=docker.io", .image("library/nginx:1")),
      ("/v2/pause/manifests/sha256:ab", .image("pause@sha256:ab")),
      ("/v2/pause/blobs/sha256:ab", nil),
      ("/v2/mcr.microsoft.com/v2/a/manifests/1?ns=mcr.microsoft.com", nil),
      ("/v2/other-registries/v2/a/b/manifests/1?ns=r.example%3A5000", .foreignImage("r.example:5000/a/b:1")),
    ] as [(String, AskedThing?)])
  func things(path: String, thing: AskedThing?) {
    #expect(AskedThing(path: path) == thing)
  }

  @Test("below the address of a release, that release is named, and what its own bundle has")
  func releases() {
    var watch = RequestWatch(
      offline: ["runc_download_url: \"{{ files_repo }}/runc/v{{ runc_version }}/runc.amd64\""],
      files: ["runc/v2/runc.amd64"], releases: ["2.29.1": ["runc/v1/runc.amd64"], "2.30.0": []])
    func told(_ path: String) -> String? { watch.add(line: Self.line(path, 404))?.explanation }
    #expect(
      told("/releases/2.29.1/debs/local/pkgs/a.deb")?.hasPrefix(
        "the package repository of kubespray 2.29.1 has no debs/local/pkgs/a.deb:") == true)
    #expect(told("/releases/2.30.0/pypi/a/") == "the Python index of kubespray 2.30.0 has no a")
    #expect(
      told("/releases/2.29.1/files/runc/v9/runc.amd64")?.contains(
        "the bundle of kubespray 2.29.1 has runc/v1/runc.amd64.") == true)
    #expect(
      told("/releases/2.28.0/debs/local/Release")
        == "nothing of kubespray 2.28.0 is served, only of 2.29.1, 2.30.0: set its bundle up again")
    #expect(
      told("/debs/local/Release")?.hasPrefix("the package repository has no debs/local/Release") == true)
  }

  @Test(
    "what is missing is told once, with the variable that leads there and what the bundle has in its place")
  func missing() throws {
    var watch = RequestWatch(
      offline: [
        "http_server: \"http://10.0.0.5\"",
        "kubelet_download_url: \"{{ files_repo }}/kubernetes/v{{ kube_version }}/kubelet\"",
        "kubeadm_download_url: \"{{ files_repo }}/kubernetes/v{{ kube_version }}/kubeadm\"",
      ], files: ["kubernetes/v1.34.3/kubelet", "kubernetes/v1.34.3/kubeadm", "runc/v1/runc.amd64"])
    let asked = [
      Self.line("/files/kubernetes/v1.34.3/kubelet", 200),
      Self.line("/files/kubernetes/v1.34.9/kubelet", 404),
      Self.line("/files/kubernetes/v1.34.9/kubelet", 404, client: "10.77.0.12"),
      Self.line("/files/mine.tgz", 404), Self.line("/debs/local/InRelease", 404),
      "time=\"2026-11-30\" level=info msg=\"response completed\"",
    ]
    var told: [RequestWatch.Missing?] = []
    for line in asked { told.append(watch.add(line: line)) }
    #expect(told.map { $0 != nil } == [false, true, false, true, false, false])
    #expect(
      told[1]?.explanation.hasPrefix(
        "kubelet_download_url leads to kubernetes/v1.34.9/kubelet; the bundle has kubernetes/v1.34.3/kubelet."
      )
        == true)
    #expect(told[3]?.explanation.hasPrefix("no variable of offline.yml") == true)
    #expect(watch.missing.count == 2)
    #expect(watch.clients.map(\.address) == ["10.77.0.11", "10.77.0.12"])
    #expect(watch.clients.map { [$0.answered, $0.refused] } == [[1, 3], [0, 1]])
  }
}
