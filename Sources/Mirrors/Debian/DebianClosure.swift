import Bundle
import Files
import FoundationEssentials
import Host
import Integrity

/// The packages of a repository from which, alone, what is wanted can be installed on any system of the release:
/// an empty one, and one that has older versions of the same packages.
struct DebianClosure {
  let target: PackageTarget
  let solver: DebianSolver
  /// Sources that could not be reached, for people.
  let unreachable: [String]

  private var lists: PackageLists { solver.lists }

  /// What belongs in the repository.
  struct Result {
    var choices: [DebianSolver.Choice]
    /// The names of those that are there only so that what a node has already can move along.
    var companions: Set<String>
    var warnings: [String]
  }

  /// Finds the packages.
  ///
  /// - Throws: ``DebianRepositoryError``.
  func find(_ wanted: [WantedPackage], _ say: (String) -> Void) async throws -> Result {
    var warnings: [String] = []
    let known = try known(wanted, &warnings)
    say("solving for \(counted(known.count, "package")) of \(target)")
    var outcome = try await solver.solve(known.keys)
    if let reason = outcome.failures.removeValue(forKey: "the essential packages") {
      throw DebianRepositoryError.unsolvable(
        WantedPackage(name: "the essential packages", origin: "\(target)"), reason: reason,
        unreachable: unreachable)
    }
    var names = Set(known.keys)
    for (name, reason) in outcome.failures.sorted(by: { $0.key < $1.key }) {
      guard let package = known[name] else { continue }
      let error = DebianRepositoryError.unsolvable(package, reason: reason, unreachable: unreachable)
      guard !package.isRequired else { throw error }
      warnings.append("\(error)")
      names.remove(name)
    }
    let needed = Set(outcome.choices.keys)
    outcome = try await completeBase(outcome, names, say, &warnings)
    for choice in try await siblings(of: outcome.choices, wanted: names) {
      outcome.choices[choice.name] = choice
    }
    return Result(
      choices: outcome.choices.values.sorted { $0.name < $1.name },
      companions: Set(outcome.choices.keys).subtracting(needed), warnings: warnings)
  }

  /// The wanted packages that exist, by name.
  private func known(
    _ wanted: [WantedPackage], _ warnings: inout [String]
  ) throws -> [String: WantedPackage] {
    var known: [String: WantedPackage] = [:]
    var unknown: [WantedPackage] = []
    for package in wanted {
      guard lists.has(package.name) else {
        unknown.append(package)
        continue
      }
      if known[package.name]?.isRequired != true { known[package.name] = package }
    }
    let required = unknown.filter(\.isRequired)
    guard required.isEmpty else {
      throw DebianRepositoryError.unknown(required, target: target, unreachable: unreachable)
    }
    warnings += unknown.map {
      "\(target) has no package \($0.name), which \($0.origin) asks for. It is left out; nodes that need it will lack it."
    }
    return known
  }

  /// Adds the packages of a usual installation that share a source package with a chosen one, or that a chosen one
  /// excludes in older versions: a node that has them must be able to move them along.
  private func completeBase(
    _ first: DebianSolver.Outcome, _ wanted: Set<String>, _ say: (String) -> Void, _ warnings: inout [String]
  ) async throws -> DebianSolver.Outcome {
    let base = lists.base
    let baseNames = Set(base.map(\.name))
    var outcome = first
    var names = wanted
    var refused: Set<String> = []
    while true {
      let paragraphs = try outcome.choices.values.map(paragraph)
      let sources = Set(paragraphs.map(\.source))
      let excluded = paragraphs.flatMap { $0.relations("Breaks") + $0.relations("Conflicts") }
      var missing = Set(base.filter { sources.contains($0.source) }.map(\.name))
      missing.formUnion(
        excluded.filter { $0.comparison.hasPrefix("<") && baseNames.contains($0.name) }.map(\.name))
      missing.subtract(outcome.choices.keys)
      missing.subtract(refused)
      guard !missing.isEmpty else { return outcome }
      say("adding \(counted(missing.count, "package")) of the base system that must move along")
      names.formUnion(missing)
      var next = try await solver.solve(names)
      for (name, reason) in next.failures {
        refused.insert(name)
        names.remove(name)
        warnings.append("\(name) of the base system of \(target) cannot be carried along:\n\(reason)")
      }
      next.choices.merge(outcome.choices) { new, _ in new }
      outcome = next
    }
  }

  /// Packages that a node may have and that hold back what it gets.
  ///
  /// What is asked for by name is upgraded, and with it what it needs in exactly its own version. A package of the
  /// same source that needs one of these exactly in the old version forbids that, unless its new version is at hand
  /// too: libpython3.11 and python3.11-venv are such a pair. What else it needs, a node that has it has already.
  /// (The siblings of all chosen packages, a hundred more, would double the bytes and serve only upgrades that
  /// nobody asks for.)
  private func siblings(
    of choices: [String: DebianSolver.Choice], wanted: Set<String>
  ) async throws -> [DebianSolver.Choice] {
    let paragraphs = try choices.mapValues(paragraph)
    let moving = Self.moving(wanted, paragraphs)
    let sources = Set(moving.compactMap { paragraphs[$0]?.source })
    let candidates = try sources.flatMap { try lists.paragraphs(ofSource: $0) }.filter(Self.isForRunning)
    var versions = choices.mapValues(\.version)
    var reached = moving
    var found: Set<String> = []
    var before = -1
    while before != found.count {
      before = found.count
      for candidate in candidates where versions[candidate["Package"]] == nil {
        let isHeld = candidate.dependencies.contains {
          $0.comparison == "=" && reached.contains($0.name) && versions[$0.name] == $0.version
        }
        guard isHeld else { continue }
        let name = candidate["Package"]
        versions[name] = candidate["Version"]
        reached.insert(name)
        found.insert("\(name)=\(candidate["Version"])")
      }
    }
    return try await solver.locate(found.sorted())
  }

  /// The wanted packages and all that must have the chosen version because one of them needs exactly that.
  private static func moving(_ wanted: Set<String>, _ paragraphs: [String: DebianControl]) -> Set<String> {
    var moving = wanted.filter { paragraphs[$0] != nil }
    var next = Array(moving)
    while let name = next.popLast() {
      for need in paragraphs[name]?.dependencies ?? [] {
        // `>=` with the very version, too, leaves no older one.
        guard need.comparison == "=" || need.comparison == ">=", let other = paragraphs[need.name],
          other["Version"] == need.version, moving.insert(need.name).inserted
        else { continue }
        next.append(need.name)
      }
    }
    return moving
  }

  private static func isForRunning(_ paragraph: DebianControl) -> Bool {
    let section = paragraph["Section"].split(separator: "/").last.map(String.init) ?? ""
    let name = paragraph["Package"]
    return !["debug", "doc", "devel", "libdevel"].contains(section)
      && !["-dbg", "-dbgsym", "-dev", "-doc"].contains { name.hasSuffix($0) }
  }

  /// What the lists say about a chosen version.
  ///
  /// - Throws: ``DebianRepositoryError/undescribed(package:url:)`` when they say nothing, or give no digest.
  func paragraph(_ choice: DebianSolver.Choice) throws -> DebianControl {
    let described = try lists.paragraphs(of: choice.name).first { paragraph in
      guard paragraph["Version"] == choice.version else { return false }
      guard choice.sha256.isEmpty else {
        return paragraph["SHA256"].lowercased() == choice.sha256.lowercased()
      }
      return !paragraph["SHA512"].isEmpty && paragraph.isOfFile(choice.url)
    }
    guard let described else {
      throw DebianRepositoryError.undescribed(package: choice.name, url: choice.url)
    }
    return described
  }
}

extension DebianControl {
  /// Whether it describes the file at an address, of an archive at any address.
  fileprivate func isOfFile(_ url: String) -> Bool {
    let place = self["Filename"].split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    let path = (percentDecoded(url) ?? url).split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    return !place.isEmpty && path.hasSuffix("/\(place)")
  }

  /// What the file must hash to, where the list says it in a way that proves something.
  var digest: Digest? {
    get throws {
      if !self["SHA256"].isEmpty { return try Digest(algorithm: .sha256, hex: self["SHA256"].lowercased()) }
      return self["SHA512"].isEmpty
        ? nil : try Digest(algorithm: .sha512, hex: self["SHA512"].lowercased())
    }
  }

  /// The source package: the field `Source` without a version behind it, or the package's own name.
  var source: String {
    let source = self["Source"].prefix { $0 != " " }
    return source.isEmpty ? self["Package"] : String(source)
  }

  /// What must be there with it.
  fileprivate var dependencies: [Relation] { relations("Depends") + relations("Pre-Depends") }
}
