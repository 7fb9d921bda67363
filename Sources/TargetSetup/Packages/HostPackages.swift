import Host
import SystemPackage

/// The packages of the host's own package manager, installed from the bundle's repository.
struct HostPackages: Sendable {
  /// The machine.
  let host: TargetHost
  private let client: any PackageClient
  /// Hears of what a person should know.
  private let say: @Sendable (String) -> Void
  /// How long is waited until a command that met a lock is run again.
  private let pause: Duration
  /// How long another package manager is waited for: the child of a run that was killed may still be at work.
  static let patience: Duration = .seconds(600)

  /// The packages of a host; `nil` when its package manager is none of apt, dnf and zypper.
  init?(_ host: TargetHost, say: @escaping @Sendable (String) -> Void, pause: Duration = .seconds(1)) {
    guard let client = host.system.family.packageClient else { return nil }
    self.host = host
    self.say = say
    self.pause = pause
    self.client = client
  }

  /// Installs packages with what they need. What comes new is written down in the journal before it comes.
  ///
  /// - Throws: ``PackagesNotInstalled`` with the package manager's own reason, or ``StepError``.
  func install(_ names: [String], _ journal: Journal) async throws {
    try await client.install(names, self) { new in
      for name in new { try journal.note(.package, name) }
    }
    let noted = Set(journal.notes(.package))
    if !noted.isEmpty {
      try journal.replaceNote(.installedPackages, noted.sorted().joined(separator: " "))
    }
  }

  /// Makes the package manager know the keys in some files of the host. What comes new is written down in the journal before.
  ///
  /// - Throws: ``StepError``.
  func learn(_ keys: [FilePath], _ journal: Journal) async throws {
    try await client.learn(keys, self) { new in
      for name in new { try journal.note(.package, name) }
    }
  }

  /// Whether a step was killed while it installed packages. The package manager goes on then, so programs may work before all
  /// that belongs to them is there.
  static func wasInterrupted(_ journal: Journal) -> Bool {
    let complete = (journal.lastNote(.installedPackages) ?? "").split(separator: " ").map(String.init)
    return !Set(journal.notes(.package)).isSubset(of: complete)
  }

  /// Removes the packages that a step brought, as its journal says, when no other package needs them.
  ///
  /// - Returns: What is left to somebody when the package manager refused; nothing is removed then.
  static func takeBack(
    _ journal: Journal, on host: TargetHost, pause: Duration = .seconds(1)
  ) async throws -> String? {
    let noted = Set(journal.notes(.package)).sorted()
    guard !noted.isEmpty, let packages = HostPackages(host, say: journal.say, pause: pause) else {
      return nil
    }
    // The package manager that a killed run has started goes on; what it brings is known when it has ended.
    if let settle = packages.client.settle { _ = try await packages.result(of: settle) }
    let installed = try await packages.installed()
    let names = noted.filter { installed.contains($0) }
    if !names.isEmpty {
      let result = try await packages.result(of: packages.client.remove(names))
      guard result.status == 0 else {
        return "left installed, because the package manager refused: \(noted.joined(separator: " "))\n"
          + Self.lastLines(result)
      }
    }
    // Also when they were gone already: an undo that was interrupted may have got no further. Without its triggers the
    // cache of libraries (/etc/ld.so.cache) would still have theirs.
    if let settle = packages.client.settle { _ = try await packages.result(of: settle) }
    try packages.client.forget(Set(noted), on: host)
    return nil
  }

  /// The names of what is installed.
  func installed() async throws -> Set<String> {
    Self.names(in: try await host.run(client.listInstalled).standardOutput)
  }

  /// The names in lines `installed NAME`.
  static func names(in list: String) -> Set<String> {
    Set(
      list.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        return words.count == 2 && words[0] == "installed" ? String(words[1]) : nil
      })
  }

  /// Runs a command that serves the installation of some packages, and returns what it wrote.
  ///
  /// - Throws: ``PackagesNotInstalled`` when it fails.
  @discardableResult
  func run(_ command: Command, for names: [String]) async throws -> String {
    let result = try await result(of: command)
    guard result.status == 0 else {
      throw PackagesNotInstalled(names: names, command: command.description, reason: Self.lastLines(result))
    }
    return result.standardOutput
  }

  /// What a command comes to when no other package manager is at work any more.
  func result(of command: Command) async throws -> CommandResult {
    let end = ContinuousClock.now + Self.patience
    var hasSaid = false
    while true {
      let result = try await host.run(command)
      guard result.status != 0, let lock = client.takenLock(result), ContinuousClock.now < end else {
        return result
      }
      if !hasSaid { say("another package manager is at work, and is waited for: \(lock)") }
      hasSaid = true
      try await Task.sleep(for: pause)
    }
  }

  /// What a package manager said last of why it gave up.
  static func lastLines(_ result: CommandResult) -> String {
    // apt-get tells which package is missing on standard output, and on standard error only that it gave up.
    let reason = result.standardOutput.firstRange(of: "unmet dependencies:\n").map {
      String(result.standardOutput[$0.upperBound...])
    }
    let errors = (reason ?? "") + result.standardError
    let text = errors.isEmpty ? result.standardOutput : errors
    return text.split(whereSeparator: \.isNewline).suffix(6).map { "  \($0)" }.joined(separator: "\n")
  }
}

/// Packages that the package manager did not install.
struct PackagesNotInstalled: Error, CustomStringConvertible {
  let names: [String]
  let command: String
  let reason: String

  var description: String {
    "\(names.joined(separator: ", ")) cannot be installed from the bundle: \(command) failed:\n\(reason)"
  }
}
