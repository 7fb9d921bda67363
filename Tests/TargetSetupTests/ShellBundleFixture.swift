import Archive
import Bundle
import Console
import Files
import Foundation
import Host
import Integrity
import Settings
import SystemPackage
import TestSupport

@testable import TargetSetup

/// A bundle as the shell project's scripts make it, in small: no manifest, no offline.yml, their places for files.
struct ShellBundleFixture {
  let folder: FilePath
  let bundle: FilePath

  private static let runc = "a runc\n"

  static let downloads = """
    kube_image_repo: "registry.k8s.io"
    docker_image_repo: "docker.io"
    csi_image_repo: "mcr.microsoft.com/oss/csi"
    etcd_image_repo: "{{ kube_image_repo }}/etcd"
    helper_image_repo: "busybox"
    github_url: https://github.com
    dl_k8s_io_url: https://dl.k8s.io
    kubelet_download_url: "{{ dl_k8s_io_url }}/release/v{{ kube_version }}/bin/linux/{{ image_arch }}/kubelet"
    runc_download_url: "{{ github_url }}/opencontainers/runc/releases/download/v{{ runc_version }}/runc.{{ image_arch }}"
    yq_download_url: "{{ github_url }}/mikefarah/yq/releases/download/v{{ yq_version }}/yq_linux_{{ image_arch }}"
    argocd_install_url: "https://raw.githubusercontent.com/argoproj/argo-cd/v{{ argocd_version }}/manifests/install.yaml"
    downloads: {}

    """

  init(_ folder: FilePath) throws {
    self.folder = folder
    bundle = folder.appending("bundle")
    try put(
      """
      KUBESPRAY_VERSION=${KUBESPRAY_VERSION:-2.29.1}
      RUNC_VERSION=1.3.4
      CONTAINERD_VERSION=2.1.5
      NGINX_VERSION=1.29.2
      REGISTRY_VERSION=2.8.3
      REGISTRY_PORT=${REGISTRY_PORT:-35000}
      ADDITIONAL_CONTAINER_REGISTRY_LIST=${ADDITIONAL_CONTAINER_REGISTRY_LIST:-"myregistry.io"}
      map_arch() {
          case "$1" in
              x86_64) echo "amd64" ;;
          esac
      }
      IMAGE_ARCH=$(map_arch "$(uname -m)")

      """, at: path("config.sh"))
    try put(Self.runc, at: path("files/runc/v1.3.4/runc.amd64"))
    try put("a kubelet\n", at: path("files/kubernetes/v1.33.7/kubelet"))
    try put("a yq\n", at: path("files/yq/v4.42.1amd64/yq_linux_amd64"))
    try archive("files/containerd-2.0.6-linux-amd64.tar.gz", ["bin/containerd": "a program"])
    try put(
      """
      https://dl.k8s.io/release/v1.33.7/bin/linux/amd64/kubelet
      https://github.com/opencontainers/runc/releases/download/v1.3.4/runc.amd64
      https://github.com/mikefarah/yq/releases/download/v4.42.1/yq_linux_amd64
      https://github.com/containerd/containerd/releases/download/v2.0.6/containerd-2.0.6-linux-amd64.tar.gz

      """, at: path("files/files.list"))
    let top = "kubespray-2.29.1"
    let role = "\(top)/roles/kubespray_defaults"
    try archive(
      "files/kubespray-2.29.1.tar.gz",
      [
        "\(top)/requirements.txt": "ansible\n", "\(top)/inventory/sample/inventory.ini": "[all]\n",
        "\(role)/defaults/main/download.yml": Self.downloads,
        "\(role)/vars/main/checksums.yml":
          "runc_checksums:\n  amd64:\n    1.3.4: sha256:\(Digest(of: Array(Self.runc.utf8)).hex)\n",
      ])
    try image("docker.io_library_nginx-1.29.2", tag: "docker.io/library/nginx:1.29.2")
    try image("docker.io_library_nginx-1.28.0-alpine", tag: "docker.io/library/nginx:1.28.0-alpine")
    try image("docker.io_library_registry-2.8.1", tag: "registry:2.8.1")
    try put("docker.io/library/nginx:1.28.0-alpine\n", at: path("images/images.list"))
    try put("\nnginx:1.29.2\nregistry:2.8.1\n", at: path("images/additional-images.list"))
    try put("a package\n", at: path("debs/local/pkgs/tree_1%3a2.deb"))
    try put(
      "Package: tree\nFilename: ./pkgs/tree_1%3a2.deb\nSize: 10\nSHA256: \(hex("a package\n"))\nDescription: x\n more\n\n",
      at: path("debs/local/Packages"))
    try put("a wheel\n", at: path("pypi/files/x-1-py3-none-any.whl"))
    try put(
      "<a href=\"x-1-py3-none-any.whl#sha256=\(hex("a wheel\n"))\">x</a>", at: path("pypi/x/index.html"))
    try FileManager.default.createSymbolicLink(
      atPath: path("pypi/x/x-1-py3-none-any.whl").string, withDestinationPath: "../files/x-1-py3-none-any.whl"
    )
    try put("<a href=\"x/index.html\">x</a>", at: path("pypi/index.html"))
    try put("- hosts: all\n", at: path("playbook/offline-repo.yml"))
    try put("offline_repo: true\n", at: path("playbook/roles/offline-repo/defaults/main.yml"))
  }

  func path(_ name: String) -> FilePath { bundle.pushing(FilePath(name)) }

  private func hex(_ text: String) -> String { Digest(of: Array(text.utf8)).hex }

  func archive(_ name: String, _ files: [String: String]) throws {
    try createDirectories(path(name).removingLastComponent())
    let writer = try ArchiveWriter(path(name), compression: .gzip(level: 6))
    for (file, text) in files.sorted(by: { $0.key < $1.key }) {
      try writer.add(bytes: Array(text.utf8), as: file, permissions: 0o755)
    }
    _ = try writer.finish()
  }

  /// What "podman save" and gzip make of an image with one layer.
  func image(_ name: String, tag: String, layer: String? = nil) throws {
    let content = "the layer of \(name)"
    let digest = hex(content)
    let config =
      #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:\#(digest)"]}}"#
    try archive(
      "images/\(name).tar.gz",
      [
        "\(digest).tar": layer ?? content, "\(hex(config)).json": config,
        "manifest.json":
          #"[{"Config":"\#(hex(config)).json","RepoTags":["\#(tag)"],"Layers":["\#(digest).tar"]}]"#,
      ])
  }

  /// A host with this bundle.
  func context(emit: @escaping @Sendable (String) -> Void = { _ in }) throws -> SetupContext {
    var shell = try ShellBundle(bundle, environment: [:])
    var configuration = try Configuration.resolve(shell: shell?.settings, defaultFile: nil, environment: [:])
    configuration.target.address = "10.0.0.5"
    shell?.adjust(&configuration, architecture: "amd64")
    let host = TargetHost(
      root: folder.appending("root"), stateFolder: configuration.target.directory,
      system: OSRelease.parse("ID=debian\nVERSION_ID=12"), architecture: .amd64, initSystem: .none,
      interfaces: NetworkInterfaces(routed: nil, addresses: []))
    return SetupContext(
      host: host, bundle: ArrivedBundle(bundle, manifest: nil, shell: shell), configuration: configuration
    ) { event in
      if case .message(_, let text, _) = event { emit(text) }
    }
  }
}
