import Host
import SystemPackage

/// The labels of SELinux on what was written.
enum SecurityLabels {
  /// Gives every path of a journal the label that the policy wants, where SELinux is on: a file that was made beside
  /// its place may have another.
  static func restore(_ journal: Journal, _ host: TargetHost) async {
    guard host.exists("/sys/fs/selinux/enforce"), host.exists("/usr/sbin/restorecon") else { return }
    let paths = journal.writtenPaths.map(\.string)
    for start in stride(from: 0, to: paths.count, by: 500) {
      _ = await host.succeeds(
        Command("/usr/sbin/restorecon", ["-R", "-F"] + paths[start..<min(start + 500, paths.count)]))
    }
  }
}
