import Host

/// Packages of the machine's own package manager, installed from the bundle's repository.
struct NodePackages: Sendable {
  /// Runs a command on the machine.
  let run: @Sendable (Command) async throws -> CommandResult
  /// Which package world the machine is of.
  let kind: BundleRepositories.Kind

  private static let environment: [String: String?] = [
    "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1",
  ]

  /// Reads the sources again, and fails where apt-get alone would only warn. What it knows of other sources stays, for
  /// the day when they are back.
  static let aptUpdate = Command(
    "apt-get",
    [
      "-o", "APT::Update::Error-Mode=any", "-o", "Acquire::Retries=2", "-o", "APT::Get::List-Cleanup=0",
      "update",
    ], environment: environment)

  /// Those of some packages that are not installed.
  func missing(of names: [String]) async throws -> [String] {
    let installed = try await installed()
    return names.filter { !installed.contains($0) }
  }

  /// Installs packages with what they need.
  ///
  /// - Parameter willInstall: Called with the names of all packages that come new, before the first of them does, so
  ///   that they can be written down for undo.
  /// - Throws: ``PackagesNotInstalled`` with the package manager's own reason.
  func install(_ names: [String], willInstall: ([String]) throws -> Void) async throws {
    switch kind {
    case .debs:
      // What an interrupted run has left half configured stops every later one.
      try await check(command("dpkg", ["--configure", "-a"]), names)
      try await check(Self.aptUpdate, names)
      let options = ["--yes", "--no-install-recommends", "install"]
      let plan = try await check(command("apt-get", ["--simulate"] + options + names), names)
      try willInstall(Self.newPackages(inSimulation: plan))
      try await check(command("apt-get", options + names), names)
    case .rpms:
      let options = ["--assumeyes", "--setopt=install_weak_deps=False", "install"]
      let before = try await installed()
      // dnf answers "no" to its own question and ends with 1; what it would install is in the table before.
      let plan = try await run(
        command("dnf", ["--assumeno", "--setopt=install_weak_deps=False", "install"] + names))
      try willInstall(Self.newPackages(inTransaction: plan.standardOutput).filter { !before.contains($0) })
      try await check(command("dnf", options + names), names)
      // The keys of the bundle that dnf has imported for this.
      try willInstall(
        try await installed().subtracting(before).filter { $0.hasPrefix("gpg-pubkey-") }.sorted())
    }
  }

  /// Removes packages, configuration included, when no other package needs them.
  ///
  /// - Returns: The package manager's reason when it refused; nothing is removed then.
  func remove(_ names: [String]) async throws -> String? {
    let installed = try await installed()
    let names = names.filter { installed.contains($0) }
    guard !names.isEmpty else { return nil }
    let command = kind == .debs ? command("dpkg", ["--purge"] + names) : command("rpm", ["--erase"] + names)
    let result = try await run(command)
    return result.status == 0 ? nil : Self.lastLines(result)
  }

  private func installed() async throws -> Set<String> {
    let command =
      kind == .debs
      ? command("dpkg-query", ["--show", "--showformat", "${db:Status-Status} ${Package}\\n"])
      : command(
        "rpm",
        [
          "--query", "--all", "--queryformat",
          "installed %{NAME}\\ninstalled %{NAME}-%{VERSION}-%{RELEASE}\\n",
        ])
    let result = try await run(command)
    return Set(
      result.standardOutput.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        return words.count == 2 && words[0] == "installed" ? String(words[1]) : nil
      })
  }

  @discardableResult
  private func check(_ command: Command, _ names: [String]) async throws -> String {
    let result = try await run(command)
    guard result.status == 0 else {
      throw PackagesNotInstalled(names: names, command: command.description, reason: Self.lastLines(result))
    }
    return result.standardOutput
  }

  private func command(_ program: String, _ arguments: [String]) -> Command {
    Command(program, arguments, environment: Self.environment)
  }

  /// `Inst NAME (VERSION ...)`; an upgrade has the old version in brackets before the new one.
  static func newPackages(inSimulation text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count > 2, words[0] == "Inst", words[2].hasPrefix("(") else { return nil }
      return words[1].split(separator: ":").first.map(String.init)
    }
  }

  /// The first column of dnf's table of a transaction: ` NAME  ARCH  VERSION  REPOSITORY  SIZE`.
  static func newPackages(inTransaction text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard line.hasPrefix(" "), words.count >= 5, words.contains(Substring(RepositoryFiles.dnfRepository))
      else {
        return nil
      }
      return String(words[0])
    }
  }

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
    "\(names.joined(separator: ", ")) cannot be installed from the bundle: \(command) failed:\n\(reason)\n"
      + "Run \"target-setup offline-repo\" first; if a package is not in the bundle, add it to pkglist/ and make "
      + "the bundle again."
  }
}
