/// Where the shell project puts the file of a URL below `files/` (its download-kubespray-files.sh, decide_relative_dir),
/// faults included: what matters here is where a file lies, not where it should.
///
/// The same rules hold for kubespray's templates of URLs, whose expressions count as text without slashes.
enum ShellLayout {
  /// The path below `files/`; `nil` when the text is not a URL of a file.
  static func path(_ url: String) -> String? {
    let parts = segments(url)
    guard parts.count > 1, let file = parts.last, !file.isEmpty else { return nil }
    let folder = folder(parts, file)
    return folder.isEmpty ? file : "\(folder)/\(file)"
  }

  private static func folder(_ parts: [String], _ file: String) -> String {
    let above = parts.dropLast()
    let version = above.last { $0.hasPrefix("v") }
    if ["kubeadm", "kubectl", "kubelet"].contains(where: file.hasPrefix) {
      let number = above.dropLast().last { isNumber($0) }
      if let number { return "kubernetes/\(number)" }
    }
    if file.hasPrefix("etcd-"), file.hasSuffix(".tar.gz") { return "kubernetes/etcd" }
    if file.hasPrefix("cni-plugins"), file.hasSuffix(".tgz") { return "kubernetes/cni" }
    if file.hasPrefix("crictl-"), file.hasSuffix(".tar.gz") { return "kubernetes/cri-tools" }
    if let version {
      if file.hasPrefix("calicoctl-") { return "kubernetes/calico/\(version)" }
      if file.hasPrefix("runc.") { return "runc/\(version)" }
      if file.hasPrefix("cilium-linux-") { return "cilium-cli/\(version)" }
      if file.hasPrefix("skopeo-linux-") { return "skopeo/\(version)" }
      // Its rule forgets what follows the name, which so becomes part of the folder's.
      if file.hasPrefix("yq_linux_") { return "yq/\(version)\(file.dropFirst("yq_linux_".count))" }
    }
    if ["runsc", "containerd-shim-runsc-v1"].contains(where: file.hasPrefix), above.count > 2 {
      return "gvisor/" + above.suffix(2).joined(separator: "/")
    }
    return above.contains("calico") ? "kubernetes/calico" : ""
  }

  /// `v1.33.7`, or `v` before an expression.
  private static func isNumber(_ segment: String) -> Bool {
    guard segment.hasPrefix("v") else { return false }
    let rest = segment.dropFirst()
    return rest.hasPrefix("{{") || (!rest.isEmpty && rest.allSatisfy { $0.isNumber || $0 == "." })
  }

  /// The parts between slashes, but for those in expressions; without the scheme.
  static func segments(_ url: String) -> [String] {
    var parts = [""]
    var depth = 0
    for character in url {
      if character == "{" { depth += 1 }
      if character == "}" { depth -= 1 }
      if character == "/", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
    }
    return parts.filter { !$0.isEmpty && $0 != "https:" && $0 != "http:" }
  }
}
