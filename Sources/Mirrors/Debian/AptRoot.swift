import Files
import Host
import Integrity
import SystemPackage

/// An installation of nothing, on which apt can fetch lists and solve without touching that of this machine.
///
/// Everything that apt writes lies below one folder, and the list of installed packages is empty. The lists stay
/// for the next run, which then asks the servers only whether there are newer ones. From this machine's
/// configuration come proxies, credentials and keys, but no hooks: these are for the real system.
struct AptRoot: Sendable {
  /// The folder.
  let folder: FilePath
  /// The sources, as they were declared.
  let sources: [AptSource]
  private let architecture: Architecture

  /// Where apt finds its sources.
  enum Origin {
    /// In the files of this machine: `sources.list`, `sources.list.d`, with its preferences.
    case host
    /// In this text, which is one file of sources.
    case text(String)
  }

  /// Prepares the folder.
  ///
  /// - Parameters:
  ///   - host: The folder with apt's configuration on this machine, `/etc/apt`.
  ///   - declared: The sources that `origin` stands for.
  /// - Throws: `CommandError` or `FileError`.
  init(
    _ folder: FilePath, host: FilePath, origin: Origin, declared: [AptSource], architecture: Architecture
  ) async throws {
    try createDirectories(folder)
    let absolute = try realPath(folder)
    self.folder = absolute
    sources = declared
    self.architecture = architecture
    for name in ["state/lists/partial", "cache/archives/partial", "log"] {
      try createDirectories(absolute.appending(name))
    }
    try writeAtomically("", to: absolute.appending("state/status"))
    let settings = try await Self.settingsOfHost(
      ownRelease: { if case .host = origin { true } else { false } }())
    var text = settings + ownSettings(host)
    if case .text(let content) = origin {
      // apt tells the two forms of a file apart by its name.
      let name = AptSource.isDeb822(content) ? "sources.sources" : "sources.list"
      for old in ["sources.sources", "sources.list"] where old != name {
        try removeFile(absolute.appending(old))
      }
      try writeAtomically(content, to: absolute.appending(name))
      text += """
        Dir::Etc::sourcelist "\(absolute.appending(name))";
        Dir::Etc::sourceparts "/dev/null";
        Dir::Etc::preferences "/dev/null";
        Dir::Etc::preferencesparts "/dev/null";

        """
    }
    // A proxy of the host's configuration can have a password in it.
    try writeAtomically(text, to: configuration, permissions: .ownerReadWrite)
  }

  private var configuration: FilePath { folder.appending("apt.conf") }

  private func ownSettings(_ host: FilePath) -> String {
    TextTemplate(PackageResources.apt_conf).filled([
      "folder": folder.string, "host": host.string, "architecture": architecture.rawValue,
    ])
  }

  /// What this machine's configuration says about fetching, and with its own sources also about their ranks.
  private static func settingsOfHost(ownRelease: Bool) async throws -> String {
    let dump = try await Command("apt-config", ["dump"], environment: ["LC_ALL": "C"]).output()
    let left = ["IndexTargets", "Languages", "GzipIndexes", "ForceHash", "Changelogs", "cdrom"]
    let lines = dump.split(separator: "\n").filter { line in
      guard line.hasSuffix("\";") else { return false }
      if line.hasPrefix("APT::Default-Release ") { return ownRelease }
      return line.hasPrefix("Acquire::") && !left.contains { line.hasPrefix("Acquire::\($0)") }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A command of apt on this root.
  func command(_ program: String, _ arguments: [String]) -> Command {
    Command(
      program, arguments,
      environment: ["APT_CONFIG": configuration.string, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"])
  }

  // MARK: Lists

  /// A source that gave no current lists.
  struct Failure {
    /// The file with its declaration; `nil` where the message names none of the sources.
    let file: FilePath?
    /// What apt said.
    let reason: String
    let isDistribution: Bool
  }

  /// Fetches the lists that changed.
  ///
  /// - Returns: The sources of which at least one list could not be had.
  /// - Throws: ``DebianRepositoryError`` when apt failed for another reason.
  func update(for target: PackageTarget) async throws -> [Failure] {
    let result = try await command("apt-get", ["update", "-q"]).run(outputLimit: 16 << 20)
    let messages = result.standardError.split(separator: "\n").filter {
      $0.hasPrefix("W: ") || $0.hasPrefix("E: ")
    }
    let origins = try await origins()
    var failures: [Failure] = []
    var others = messages.filter(Self.isFailure)
    let unfetched = Self.unfetched(result.standardOutput)
    for source in sources {
      var own = messages.filter { message in Self.isFailure(message) && source.isMeant(by: message) }
      if own.isEmpty { own = unfetched.filter(source.isMeant) }
      guard !own.isEmpty else { continue }
      others.removeAll { own.contains($0) || Self.isSummary($0) }
      let known = source.suites.compactMap { origins["\(source.uris.first ?? "") \($0)"] }.first
      failures.append(
        Failure(
          file: source.file, reason: Self.reason(own),
          isDistribution: known.map { ["Debian", "Ubuntu"].contains($0) } ?? source.isDistribution(target)))
    }
    if result.status != 0, failures.isEmpty, !others.contains(where: Self.isAboutASource) {
      throw CommandError.failed(command: "apt-get update", result: result)
    }
    if !others.isEmpty {
      failures.append(Failure(file: nil, reason: Self.reason(others), isDistribution: false))
    }
    return failures
  }

  /// What could not be fetched, by the lines of apt's progress: where one source has no `Release` file, apt says nothing else
  /// of the others.
  private static func unfetched(_ output: String) -> [Substring] {
    var failed: [(item: Substring, reason: Substring)] = []
    let lines = output.split(separator: "\n")
    for (line, next) in zip(lines, lines.dropFirst() + [""]) {
      guard let colon = line.firstIndex(of: ":"), let blank = line.firstIndex(of: " "), colon < blank else {
        continue
      }
      let item = line[blank...].dropFirst()
      switch line[..<colon] {
      case "Err":
        failed.removeAll { $0.item == item }
        failed.append((item, next.hasPrefix("  ") ? next.drop { $0 == " " } : ""))
      case "Get", "Hit": failed.removeAll { item.hasPrefix($0.item) }
      default: break
      }
    }
    return failed.map { "W: Failed to fetch \($0.item)  \($0.reason)" }
  }

  private static func reason(_ messages: [Substring]) -> String {
    messages.map { hidingCredentials("  \($0.dropFirst(3))") }.joined(separator: "\n")
  }

  /// What apt says behind its messages about single sources.
  private static func isSummary(_ message: Substring) -> Bool {
    message.contains("Some index files failed to download")
  }

  /// The files with the lists of binary packages.
  func listFiles() async throws -> [FilePath] {
    let format = ["indextargets", "--format", "$(FILENAME)", "Created-By: Packages"]
    return try await command("apt-get", format).output().split(separator: "\n").map { FilePath(String($0)) }
  }

  /// The time of the newest of the releases that lists were fetched of, in seconds since 1970; 0 where none says it.
  ///
  /// - Throws: `FileError`.
  func newestRelease() throws -> Int64 {
    let lists = folder.appending("state/lists")
    var newest: Int64 = 0
    for name in try listFolder(lists) where name.hasSuffix("Release") {
      let field = "Date: "
      let line = try readText(lists.appending(name)).split(separator: "\n").first { $0.hasPrefix(field) }
      newest = max(newest, line.flatMap { DebianIndex.seconds($0.dropFirst(field.count)) } ?? 0)
    }
    return newest
  }

  /// The addresses of archives whose lists no signature proves: apt was told to take them so.
  func unsignedArchives() async throws -> [String] {
    let format = ["indextargets", "--format", "$(TRUSTED) $(REPO_URI)", "Created-By: Packages"]
    let lines = try await command("apt-get", format).output().split(separator: "\n")
    let unsigned = lines.filter { $0.hasPrefix("no ") }.map { String($0.dropFirst(3)) }
    return unsigned + sources.filter(\.isTrustedByAddress).flatMap(\.uris)
  }

  /// Who publishes each release that lists were fetched of, by address and suite.
  private func origins() async throws -> [String: String] {
    let format = ["indextargets", "--format", "$(SITE) $(RELEASE) $(ORIGIN)", "Created-By: Packages"]
    var origins: [String: String] = [:]
    for line in try await command("apt-get", format).output().split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      if words.count == 3 {
        origins["\(words[0]) \(words[1])"] = words[2]
        origins["\(words[0])/ \(words[1])"] = words[2]
      }
    }
    return origins
  }

  /// Notes such as "configured multiple times" do not mean that a list is missing.
  private static func isFailure(_ message: Substring) -> Bool {
    message.hasPrefix("E: ") || isAboutASource(message)
  }

  /// Whether a message says that one source failed, be it one of source packages that nothing here asks for.
  private static func isAboutASource(_ message: Substring) -> Bool {
    ["Failed to fetch", "GPG error", "is not signed", "does not have a Release file", "not available"]
      .contains { message.contains($0) }
  }
}

extension AptSource {
  /// Whether a message of apt speaks of this source: it names the address and one of the suites.
  fileprivate func isMeant(by message: Substring) -> Bool {
    let isAddress = uris.contains { uri in
      // apt writes the name of a disc otherwise than sources do.
      if uri.hasPrefix("cdrom:") { return message.contains("cdrom:") }
      let bare = uri.hasSuffix("/") ? String(uri.dropLast()) : uri
      return message.contains(bare + "/") || message.contains(bare + " ")
    }
    return isAddress
      && suites.contains { suite in
        let name = suite == "/" || suite == "./" ? "" : suite
        return name.isEmpty || message.contains("/dists/\(name)/") || message.contains(" \(name) ")
          || message.contains(name) && name.hasSuffix("/")
      }
  }
}
