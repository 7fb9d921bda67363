import Concurrency
import FoundationEssentials
import Host

/// Asks apt's solver what must be there so that packages can be installed on an empty system.
struct DebianSolver: Sendable {
  let root: AptRoot
  let lists: PackageLists

  /// How many apt work at a time, each on one core.
  private static let solvers = 4

  /// A version of a package that apt chose.
  struct Choice: Hashable {
    let name: String
    let version: String
    let architecture: String
    /// Where the source it was chosen from has it.
    let url: String
    /// In hexadecimal; empty when the list has no SHA-256.
    let sha256: String
  }

  /// What came of a set of packages.
  struct Outcome {
    /// By name: apt chooses the same version of a package whatever else is asked for.
    var choices: [String: Choice] = [:]
    /// The packages that cannot be installed, with apt's reason.
    var failures: [String: String] = [:]

    mutating func merge(_ other: Outcome) {
      choices.merge(other.choices) { first, _ in first }
      failures.merge(other.failures) { first, _ in first }
    }
  }

  /// Solves for packages, in as many sets as it takes: chrony and ntpsec exclude each other, yet both can be wanted.
  func solve(_ names: some Sequence<String>) async throws -> Outcome {
    let essential = lists.essentialNames.sorted()
    let groups = try groups(names.sorted())
    var outcomes: [[String]: Result<Outcome, any Error>] = [:]
    await forEachConcurrently(groups, limit: Self.solvers) { group in
      await Result { try await solve(group, with: essential) }
    } onResult: {
      outcomes[$0] = $1
    }
    try Task.checkCancellation()
    var outcome = Outcome()
    for group in groups { if let found = try outcomes[group]?.get() { outcome.merge(found) } }
    return outcome
  }

  /// Where apt would fetch packages from, without what they depend on.
  func locate(_ names: [String]) async throws -> [Choice] {
    guard !names.isEmpty else { return [] }
    let arguments = ["download", "-q"] + Self.printing + names
    let result = try await root.command("apt-get", arguments).run()
    guard result.status == 0 else { throw CommandError.failed(command: "apt-get download", result: result) }
    return Self.choices(result.standardOutput)
  }

  /// Halves a set that has no solution until what is to blame stands alone.
  private func solve(_ names: [String], with essential: [String]) async throws -> Outcome {
    let arguments = ["install", "-y", "-q", "--no-install-recommends"] + Self.printing + essential + names
    let result = try await root.command("apt-get", arguments).run()
    var outcome = Outcome()
    if result.status == 0 {
      for choice in Self.choices(result.standardOutput) { outcome.choices[choice.name] = choice }
    } else if names.count <= 1 {
      outcome.failures[names.first ?? "the essential packages"] = Self.reason(result)
    } else {
      outcome.merge(try await solve(Array(names[..<(names.count / 2)]), with: essential))
      outcome.merge(try await solve(Array(names[(names.count / 2)...]), with: essential))
    }
    return outcome
  }

  /// Sets in which no package excludes another by its own declaration.
  private func groups(_ names: [String]) throws -> [[String]] {
    var provided: [String: Set<String>] = [:]
    var excluded: [String: Set<String>] = [:]
    for name in names {
      for paragraph in try lists.paragraphs(of: name) {
        provided[name, default: [name]].formUnion(paragraph.relations("Provides").map(\.name))
        excluded[name, default: []].formUnion(
          ["Conflicts", "Breaks"].flatMap { paragraph.relations($0) }.filter(\.comparison.isEmpty).map(\.name)
        )
      }
    }
    func exclude(_ left: String, _ right: String) -> Bool {
      !(excluded[left] ?? []).isDisjoint(with: provided[right] ?? [])
    }
    var groups: [[String]] = []
    for name in names {
      let place = groups.firstIndex { group in
        !group.contains { exclude(name, $0) || exclude($0, name) }
      }
      if let place { groups[place].append(name) } else { groups.append([name]) }
    }
    return groups
  }

  // MARK: What apt prints

  /// Without the second option apt prints MD5. For fetching lists it must not be set: apt then refuses archives that have
  /// SHA-512 alone.
  private static let printing = ["--print-uris", "-o", "Acquire::ForceHash=SHA256"]

  /// Reads lines such as `'http://…/libc6_2.36-9_amd64.deb' libc6_2.36-9_amd64.deb 2759320 SHA256:…`.
  static func choices(_ output: String) -> [Choice] {
    output.split(separator: "\n").compactMap { line in
      guard line.first == "'", let quote = line.dropFirst().firstIndex(of: "'") else { return nil }
      let words = line[line.index(after: quote)...].split(separator: " ")
      // The name that the file gets: NAME_VERSION_ARCHITECTURE.deb, with the colon of an epoch as %3a.
      guard let file = words.first, file.hasSuffix(".deb") else { return nil }
      let parts = file.dropLast(4).split(separator: "_").map { unescaped(String($0)) }
      guard parts.count == 3 else { return nil }
      let digest = words.first { $0.hasPrefix("SHA256:") }?.dropFirst(7) ?? ""
      return Choice(
        name: parts[0], version: parts[1], architecture: parts[2],
        url: String(line[line.index(after: line.startIndex)..<quote]), sha256: String(digest))
    }
  }

  /// Undoes `%3a`.
  private static func unescaped(_ text: String) -> String {
    let parts = text.split(separator: "%", omittingEmptySubsequences: false)
    return parts.dropFirst().reduce(String(parts.first ?? "")) { result, part in
      guard let code = UInt8(part.prefix(2), radix: 16) else { return result + "%" + part }
      return result + String(Unicode.Scalar(code)) + part.dropFirst(2)
    }
  }

  /// What apt says about a set without a solution: the packages that lack something, and its errors.
  private static func reason(_ result: CommandResult) -> String {
    let marker = "The following packages have unmet dependencies:"
    let lines = result.standardOutput.split(separator: "\n")
    let unmet =
      lines.firstIndex { $0 == marker }.map { lines[($0 + 1)...].filter { $0.hasPrefix(" ") } } ?? []
    let errors = result.standardError.split(separator: "\n").filter { $0.hasPrefix("E: ") }
    return (unmet.map { "  " + $0.drop { $0 == " " } } + errors.map { "  \($0.dropFirst(3))" })
      .joined(separator: "\n")
  }
}
