import Files
import Host
import SystemPackage

extension Machine {
  /// Programs that change the packages of a machine, by the names of their processes.
  private static let packageManagers: Set<String> = [
    "apt", "apt-get", "aptitude", "dpkg", "unattended-upgr", "packagekitd", "dnf", "yum", "rpm", "dnf5",
    "zypper", "zypp-rpm", "y2base",
  ]

  /// Whether this machine knows where packages come from.
  public func packageSources() -> Finding {
    switch system?.family {
    case .debian: debianSources()
    case .redHat: redHatSources()
    case .suse: suseSources()
    default: .ok(.packageSources, "those of this distribution are not looked at")
    }
  }

  private func debianSources() -> Finding {
    let next = "apt-get update, after a line such as 'deb URI \(codename) main' in /etc/apt/sources.list"
    let oneLine = (["/etc/apt/sources.list"] + files(in: "/etc/apt/sources.list.d", ending: ".list"))
      .flatMap { lines($0) }.map { $0.drop(while: \.isWhitespace) }.filter { $0.hasPrefix("deb ") }
    let addresses = oneLine.compactMap { line in line.split(separator: " ").first { $0.contains(":") } }
    let paragraphs = files(in: "/etc/apt/sources.list.d", ending: ".sources").flatMap { file in
      (text(file) ?? "").split(separator: "\n\n").filter { !$0.lowercased().contains("enabled: no") }
    }
    let others = paragraphs.flatMap { paragraph in
      paragraph.split(separator: "\n").filter { $0.lowercased().hasPrefix("uris:") }
        .flatMap { $0.dropFirst(5).split(separator: " ") }
    }
    let all = addresses.map { String($0) } + others.map { String($0) }
    guard !all.isEmpty else {
      return .error(.packageSources, "apt knows no source of packages", next: next)
    }
    guard all.contains(where: { !$0.hasPrefix("cdrom:") }) else {
      return .error(.packageSources, "the only source of packages is the CD of the installation", next: next)
    }
    return .ok(.packageSources, "\(all.count) of apt, such as \(hidingCredentials(all[0]))")
  }

  private var codename: String {
    (text("/etc/os-release") ?? "").split(separator: "\n").first { $0.hasPrefix("VERSION_CODENAME=") }
      .map { $0.dropFirst(17).filter { $0 != "\"" } } ?? "SUITE"
  }

  private func redHatSources() -> Finding {
    let enabled = enabledRepositories(in: ["/etc/yum.repos.d", "/etc/dnf/repos.d"])
    guard enabled == 0 else {
      return .ok(.packageSources, counted(enabled, "repository is", "repositories are") + " enabled")
    }
    let isSubscribed = !names(in: "/etc/pki/consumer").isEmpty
    return .error(
      .packageSources, "no repository of packages is enabled",
      next: system?.id == "rhel" && !isSubscribed
        ? "subscription-manager register" : "dnf config-manager --set-enabled NAME (all: dnf repolist --all)")
  }

  /// Those of zypper; a service brings repositories when it is asked.
  private func suseSources() -> Finding {
    let enabled = enabledRepositories(in: ["/etc/zypp/repos.d"])
    let services = files(in: "/etc/zypp/services.d", ending: ".service").count { file in
      !lines(file).contains { $0.filter { !$0.isWhitespace } == "enabled=0" }
    }
    guard enabled + services == 0 else {
      return .ok(
        .packageSources,
        counted(enabled, "repository is", "repositories are") + " enabled"
          + (services == 0 ? "" : ", and " + counted(services, "service")))
    }
    let isSubscribed = exists("/etc/zypp/credentials.d/SCCcredentials")
    return .error(
      .packageSources, "no repository of packages is enabled",
      next: system?.id == "sles" && !isSubscribed
        ? "SUSEConnect --regcode CODE" : "zypper modifyrepo --enable NAME (all: zypper repos)")
  }

  /// How many repositories the .repo files of some folders enable.
  private func enabledRepositories(in folders: [FilePath]) -> Int {
    folders.flatMap { files(in: $0, ending: ".repo") }.flatMap { file in
      (text(file) ?? "").split(separator: "\n[").filter { section in
        let words = section.split(separator: "\n").map { $0.filter { !$0.isWhitespace } }
        let hasAddress = words.contains {
          $0.hasPrefix("baseurl=") || $0.hasPrefix("mirrorlist=") || $0.hasPrefix("metalink=")
        }
        return hasAddress && !words.contains("enabled=0")
      }
    }.count
  }

  private func files(in folder: FilePath, ending: String) -> [FilePath] {
    names(in: folder).filter { $0.hasSuffix(ending) }.map { folder.appending($0) }
  }

  /// Whether packages can be installed: nothing is half installed, and nobody else is at it.
  public func packageManager() -> Finding {
    // dpkg keeps there what it has begun with (dpkg(1), "updates").
    let updates = names(in: "/var/lib/dpkg/updates").filter { $0.allSatisfy(\.isNumber) }
    let states = [" unpacked", " half-configured", " half-installed"]
    let half = lines("/var/lib/dpkg/status").filter { line in
      line.hasPrefix("Status:") && states.contains { line.hasSuffix($0) }
    }
    guard updates.isEmpty, half.isEmpty else {
      return .error(
        .packageManager,
        "dpkg was interrupted: \(counted(max(half.count, 1), "package is", "packages are")) half installed",
        next: "dpkg --configure -a")
    }
    let isOfRPM = system?.family == .redHat || system?.family == .suse
    if isOfRPM, !exists("/var/lib/rpm"), !exists("/usr/lib/sysimage/rpm") {
      return .error(.packageManager, "the database of packages is gone", next: "rpm --rebuilddb")
    }
    guard let other = processes().first(where: { Self.packageManagers.contains($0.name) }) else {
      return .ok(.packageManager, "nothing is half installed, and nobody installs anything")
    }
    return .warning(
      .packageManager, "\(other.name) (process \(other.id)) is at work, and is waited for",
      next: other.name == "unattended-upgr"
        ? "systemctl stop unattended-upgrades" : "tail --pid=\(other.id) -f /dev/null")
  }
}
