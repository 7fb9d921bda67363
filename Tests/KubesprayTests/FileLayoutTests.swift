import Bundle
import Kubespray
import Testing

/// A URL, its template, and where both lie in the default layout.
struct LayoutCase: CustomTestStringConvertible, Sendable {
  let url: String
  let template: String
  let path: String
  let pathTemplate: String
  var testDescription: String { url }
}

private let github = "https://github.com"

@Suite struct FileLayoutTests {
  static let cases: [LayoutCase] = [
    LayoutCase(
      url: "https://dl.k8s.io/release/v1.34.3/bin/linux/amd64/kubelet",
      template: "{{ dl_k8s_io_url }}/release/v{{ kube_version }}/bin/linux/{{ image_arch }}/kubelet",
      path: "kubernetes/v1.34.3/kubelet", pathTemplate: "kubernetes/v{{ kube_version }}/kubelet"),
    LayoutCase(
      url: "https://dl.k8s.io/release/v1.34.0-rc.1/bin/linux/amd64/kubeadm",
      template: "{{ dl_k8s_io_url }}/release/v{{ kube_version }}/bin/linux/{{ image_arch }}/kubeadm",
      path: "kubernetes/v1.34.0-rc.1/kubeadm", pathTemplate: "kubernetes/v{{ kube_version }}/kubeadm"),
    LayoutCase(
      url: "\(github)/etcd-io/etcd/releases/download/v3.5.26/etcd-v3.5.26-linux-arm64.tar.gz",
      template:
        "{{ github_url }}/etcd-io/etcd/releases/download/v{{ etcd_version }}/etcd-v{{ etcd_version }}-linux-{{ image_arch }}.tar.gz",
      path: "kubernetes/etcd/etcd-v3.5.26-linux-arm64.tar.gz",
      pathTemplate: "kubernetes/etcd/etcd-v{{ etcd_version }}-linux-{{ image_arch }}.tar.gz"),
    LayoutCase(
      url:
        "\(github)/containernetworking/plugins/releases/download/v1.8.0/cni-plugins-linux-amd64-v1.8.0.tgz",
      template:
        "{{ github_url }}/containernetworking/plugins/releases/download/v{{ cni_version }}/cni-plugins-linux-{{ image_arch }}-v{{ cni_version }}.tgz",
      path: "kubernetes/cni/cni-plugins-linux-amd64-v1.8.0.tgz",
      pathTemplate: "kubernetes/cni/cni-plugins-linux-{{ image_arch }}-v{{ cni_version }}.tgz"),
    LayoutCase(
      url: "\(github)/kubernetes-sigs/cri-tools/releases/download/v1.34.0/crictl-v1.34.0-linux-amd64.tar.gz",
      template:
        "{{ github_url }}/kubernetes-sigs/cri-tools/releases/download/v{{ crictl_version }}/crictl-v{{ crictl_version }}-{{ ansible_facts['system'] | lower }}-{{ image_arch }}.tar.gz",
      path: "kubernetes/cri-tools/crictl-v1.34.0-linux-amd64.tar.gz",
      pathTemplate:
        "kubernetes/cri-tools/crictl-v{{ crictl_version }}-{{ ansible_facts['system'] | lower }}-{{ image_arch }}.tar.gz"
    ),
    LayoutCase(
      url: "\(github)/projectcalico/calico/releases/download/v3.30.6/calicoctl-linux-amd64",
      template:
        "{{ github_url }}/projectcalico/calico/releases/download/v{{ calico_ctl_version }}/calicoctl-linux-{{ image_arch }}",
      path: "kubernetes/calico/v3.30.6/calicoctl-linux-amd64",
      pathTemplate: "kubernetes/calico/v{{ calico_ctl_version }}/calicoctl-linux-{{ image_arch }}"),
    LayoutCase(
      url: "\(github)/projectcalico/calico/archive/v3.30.6.tar.gz",
      template: "{{ github_url }}/projectcalico/calico/archive/v{{ calico_version }}.tar.gz",
      path: "kubernetes/calico/v3.30.6.tar.gz", pathTemplate: "kubernetes/calico/v{{ calico_version }}.tar.gz"
    ),
    LayoutCase(
      url: "\(github)/projectcalico/calico/raw/v3.31.2/manifests/crds.yaml",
      template: "{{ github_url }}/projectcalico/calico/raw/v{{ calico_version }}/manifests/crds.yaml",
      path: "kubernetes/calico/v3.31.2/crds.yaml",
      pathTemplate: "kubernetes/calico/v{{ calico_version }}/crds.yaml"),
    LayoutCase(
      url: "\(github)/opencontainers/runc/releases/download/v1.3.4/runc.arm64",
      template:
        "{{ github_url }}/opencontainers/runc/releases/download/v{{ runc_version }}/runc.{{ image_arch }}",
      path: "runc/v1.3.4/runc.arm64", pathTemplate: "runc/v{{ runc_version }}/runc.{{ image_arch }}"),
    LayoutCase(
      url: "\(github)/cilium/cilium-cli/releases/download/v0.18.9/cilium-linux-amd64.tar.gz",
      template:
        "{{ github_url }}/cilium/cilium-cli/releases/download/v{{ cilium_cli_version }}/cilium-linux-{{ image_arch }}.tar.gz",
      path: "cilium-cli/v0.18.9/cilium-linux-amd64.tar.gz",
      pathTemplate: "cilium-cli/v{{ cilium_cli_version }}/cilium-linux-{{ image_arch }}.tar.gz"),
    LayoutCase(
      url:
        "https://storage.googleapis.com/gvisor/releases/release/20260112.0/x86_64/containerd-shim-runsc-v1",
      template:
        "{{ storage_googleapis_url }}/gvisor/releases/release/{{ gvisor_version }}/{{ ansible_architecture }}/containerd-shim-runsc-v1",
      path: "gvisor/20260112.0/x86_64/containerd-shim-runsc-v1",
      pathTemplate: "gvisor/{{ gvisor_version }}/{{ ansible_architecture }}/containerd-shim-runsc-v1"),
    LayoutCase(
      url: "\(github)/lework/skopeo-binary/releases/download/v1.16.1/skopeo-linux-amd64",
      template:
        "{{ github_url }}/lework/skopeo-binary/releases/download/v{{ skopeo_version }}/skopeo-linux-{{ image_arch }}",
      path: "skopeo/v1.16.1/skopeo-linux-amd64",
      pathTemplate: "skopeo/v{{ skopeo_version }}/skopeo-linux-{{ image_arch }}"),
    LayoutCase(
      url: "\(github)/mikefarah/yq/releases/download/v4.42.1/yq_linux_amd64",
      template: "{{ github_url }}/mikefarah/yq/releases/download/v{{ yq_version }}/yq_linux_{{ image_arch }}",
      path: "yq/v4.42.1/yq_linux_amd64", pathTemplate: "yq/v{{ yq_version }}/yq_linux_{{ image_arch }}"),
    LayoutCase(
      url:
        "\(github)/containerd/containerd/releases/download/v2.2.1/containerd-static-2.2.1-linux-amd64.tar.gz",
      template:
        "{{ github_url }}/containerd/containerd/releases/download/v{{ containerd_version }}/containerd-{{ 'static-' if containerd_static_binary }}{{ containerd_version }}-linux-{{ image_arch }}.tar.gz",
      path: "containerd-static-2.2.1-linux-amd64.tar.gz",
      pathTemplate:
        "containerd-{{ 'static-' if containerd_static_binary }}{{ containerd_version }}-linux-{{ image_arch }}.tar.gz"
    ),
    LayoutCase(
      url: "https://storage.googleapis.com/cri-o/artifacts/cri-o.amd64.v1.34.4.tar.gz",
      template:
        "{{ storage_googleapis_url }}/cri-o/artifacts/cri-o.{{ image_arch }}.v{{ crio_version }}.tar.gz",
      path: "cri-o.amd64.v1.34.4.tar.gz", pathTemplate: "cri-o.{{ image_arch }}.v{{ crio_version }}.tar.gz"),
    LayoutCase(
      url: "\(github)/containers/crun/releases/download/1.17/crun-1.17-linux-amd64",
      template:
        "{{ github_url }}/containers/crun/releases/download/{{ crun_version }}/crun-{{ crun_version }}-linux-{{ image_arch }}",
      path: "crun-1.17-linux-amd64", pathTemplate: "crun-{{ crun_version }}-linux-{{ image_arch }}"),
    LayoutCase(
      url: "https://raw.githubusercontent.com/argoproj/argo-cd/v2.14.21/manifests/install.yaml",
      template:
        "https://raw.githubusercontent.com/argoproj/argo-cd/v{{ argocd_version }}/manifests/install.yaml",
      path: "argo-cd/v2.14.21/install.yaml", pathTemplate: "argo-cd/v{{ argocd_version }}/install.yaml"),
    LayoutCase(
      url: "\(github)/kubernetes-sigs/gateway-api/releases/download/v1.4.1/standard-install.yaml",
      template:
        "{{ github_url }}/kubernetes-sigs/gateway-api/releases/download/v{{ gateway_api_version }}/{{ gateway_api_channel }}-install.yaml",
      path: "gateway-api/v1.4.1/standard-install.yaml",
      pathTemplate: "gateway-api/v{{ gateway_api_version }}/{{ gateway_api_channel }}-install.yaml"),
    LayoutCase(
      url:
        "\(github)/prometheus-operator/prometheus-operator/releases/download/v0.84.0/stripped-down-crds.yaml",
      template:
        "{{ github_url }}/prometheus-operator/prometheus-operator/releases/download/v{{ prometheus_operator_crds_version }}/stripped-down-crds.yaml",
      path: "prometheus-operator/v0.84.0/stripped-down-crds.yaml",
      pathTemplate: "prometheus-operator/v{{ prometheus_operator_crds_version }}/stripped-down-crds.yaml"),
    LayoutCase(
      url: "https://nexus.example/raw/helm/helm-v3.18.4-linux-amd64.tar.gz",
      template: "{{ get_helm_url }}/helm-v{{ helm_version }}-linux-{{ image_arch }}.tar.gz",
      path: "helm-v3.18.4-linux-amd64.tar.gz",
      pathTemplate: "helm-v{{ helm_version }}-linux-{{ image_arch }}.tar.gz"),
  ]

  @Test("The default layout places URL and template alike", arguments: cases)
  func defaultLayout(item: LayoutCase) throws {
    let layout = FileLayout(name: .kubesprayOffline)
    let place = try layout.placement(url: item.url, template: item.template)
    #expect(place.path == item.path)
    #expect(place.template == item.pathTemplate)
    #expect(try layout.placement(url: item.url).path == item.path)
  }

  @Test("The original layout keeps host and path", arguments: cases)
  func originalLayout(item: LayoutCase) throws {
    let place = try FileLayout(name: .original).placement(url: item.url, template: item.template)
    #expect("https://" + place.path == item.url)
    let behindBase = item.template.split(separator: "/", maxSplits: 1)[1]
    #expect(item.template.hasPrefix("https://") || place.template.hasSuffix("/" + behindBase))
    #expect(!place.template.contains("://"))
  }

  @Test(
    "URLs without a place are refused by name",
    arguments: [
      "ftp://example.com/file", "https://example.com", "https://example.com/", "not a url",
      "https://example.com/a/../b-1.0", "https://example.com/con:1.0", "https://example.com/v1.0%zz/a",
      "https://example.com/v1.0%00/a", "https://example.com/v1.0/%2e%2e/a-1.0",
      "https://example.com/%ff/a-1.0",
    ])
  func refused(url: String) throws {
    let error = #expect(throws: FileLayoutError.self) { try FileLayout(name: .original).placement(url: url) }
    #expect(try #require(error).description.contains(url))
  }

  @Test(
    "A file lies under its decoded name, and its URL in offline.yml stays encoded",
    arguments: [
      (
        "https://m.example/runc/v1.3.4%2Bcorp1/runc.amd64",
        "https://m.example/runc/v{{ v }}%2Bcorp1/runc.{{ arch }}",
        "runc/v1.3.4+corp1/runc.amd64", "runc/v{{ v }}%2Bcorp1/runc.{{ arch }}"
      ),
      (
        "https://m.example/a%20b/tool-1.0%2b2", "{{ base }}/tool-{{ v }}", "tool-1.0+2", "tool-{{ v }}"
      ),
      (
        "https://m.example/raw?path=x/tool-1.0&at=v1", "https://m.example/raw?path=x/tool-{{ v }}&at=v1",
        "raw", "raw"
      ),
      (
        "https://m.example/tool-1.0?token=abc#x", "{{ base }}/tool-{{ v }}?token=abc#x", "tool-1.0",
        "tool-{{ v }}"
      ),
    ])
  func encoded(url: String, template: String, path: String, pathTemplate: String) throws {
    let place = try FileLayout(name: .kubesprayOffline).placement(url: url, template: template)
    #expect(place.path == path && place.template == pathTemplate, "\(place)")
  }

  @Test func `A port and a login in a URL are no obstacle to the original layout`() throws {
    let place = try FileLayout(name: .original)
      .placement(url: "http://ann:secret@nexus.example:8081/a/b-1.0", template: "{{ base }}/b-{{ v }}")
    #expect(place.path == "nexus.example+8081/a/b-1.0")
    #expect(!place.template.contains("secret"))
  }

  @Test func `No message has a login`() throws {
    let error = #expect(throws: FileLayoutError.self) {
      try FileLayout(name: .original).placement(url: "https://ann:secret@example.com/a:b?token=opens")
    }
    let text = try #require(error).description
    #expect(
      !text.contains("secret") && !text.contains("opens") && text.contains("example.com/a:b"), "\(text)")
  }

  @Test func `A URL that its template cannot give is refused`() {
    #expect(throws: FileLayoutError.self) {
      try FileLayout(name: .original).placement(url: "https://example.com/b", template: "{{ base }}/a")
    }
  }

  @Test(
    "Two URLs on one path are an error that names both",
    arguments: [
      ("https://a.example/x-1.0.tgz", "https://b.example/x-1.0.tgz"),
      ("https://a.example/x-1.0.tgz", "https://a.example/X-1.0.tgz"),
      ("https://a.example/runc-1.0", "https://a.example/p/q/runc-1.0"),
    ])
  func collision(first: String, second: String) throws {
    let files = [first, second].map { file($0) }
    let error = #expect(throws: FileLayoutError.self) {
      try FileLayout(name: .kubesprayOffline).placements(of: files)
    }
    let text = try #require(error).description
    #expect(text.contains(first))
    #expect(text.contains(second))
  }

  @Test func `A file in the place of a folder is an error`() {
    let files = [file("https://a.example/p/1.0"), file("https://a.example/p/1.0/x")]
    #expect(throws: FileLayoutError.self) { try FileLayout(name: .original).placements(of: files) }
  }

  private func file(_ url: String) -> CatalogFile {
    CatalogFile(
      url: url, checksum: nil, variable: nil, template: nil, entries: [], isEnabled: true, isOfficial: true,
      origin: "test")
  }
}
