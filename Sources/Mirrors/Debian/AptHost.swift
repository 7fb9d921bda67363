import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// The machine whose apt sources and keys are used.
struct AptHost: Sendable {
  /// The folder with apt's configuration.
  var etc: FilePath = "/etc/apt"
  /// The release that it runs; `nil` when it is none that packages can be collected for.
  var target: PackageTarget? = (try? OSRelease.current()).flatMap { try? PackageTarget($0) }

  /// The sources for a target.
  struct Sources {
    let origin: AptRoot.Origin
    let sources: [AptSource]
    /// Changes when what decides about packages changes.
    let fingerprint: String
  }

  /// The sources for a target: those given, else this machine's, for another release with its codename exchanged; of
  /// these, what serves the architecture.
  ///
  /// - Throws: ``DebianRepositoryError``.
  func sources(for target: PackageTarget, given: FilePath?, architecture: Architecture) throws -> Sources {
    let declared = try sources(for: target, given: given)
    let serving = declared.sources.compactMap { $0.serving(architecture) }
    guard serving != declared.sources else { return declared }
    guard !serving.isEmpty else { throw DebianRepositoryError.noPackages(target, architecture) }
    let text = serving.map(\.deb822).joined(separator: "\n")
    return Sources(origin: .text(text), sources: serving, fingerprint: text)
  }

  private func sources(for target: PackageTarget, given: FilePath?) throws -> Sources {
    if let given {
      let text: String
      do {
        text = AptSource.withoutSourcePackages(try readTypedText(given))
      } catch {
        throw DebianRepositoryError.unreadable(given, reason: FileError.reason(error))
      }
      let sources = AptSource.parse(text, file: given)
      guard !sources.isEmpty else { throw DebianRepositoryError.emptySources(given, target: target) }
      return Sources(origin: .text(text), sources: sources, fingerprint: text)
    }
    let files = files(["sources.list"], "sources.list.d", [".list", ".sources"]).filter {
      // apt tells the two forms apart by the file's name, and finds nothing in one of the other form.
      $0.path.extension != "sources" || AptSource.isDeb822($0.text)
    }
    let own = files.flatMap { AptSource.parse($0.text, file: $0.path) }
    if target == self.target {
      guard !own.isEmpty else { throw DebianRepositoryError.emptySources(etc, target: target) }
      let ranks = self.files(["preferences", "apt.conf"], "preferences.d", [""])
      return Sources(
        origin: .host, sources: own,
        fingerprint: (files + ranks).map { "\($0.path)\n\($0.text)" }.joined(separator: "\n"))
    }
    guard let host = self.target, host.id == target.id else {
      throw DebianRepositoryError.noSources(
        target: target, host: self.target?.name ?? (try? OSRelease.current().prettyName) ?? "another system")
    }
    let derived = own.compactMap { $0.derived(from: host, for: target) }
    guard derived.contains(where: { $0.isDistribution(target) }) else {
      throw DebianRepositoryError.noSources(target: target, host: host.name)
    }
    let text = derived.map(\.deb822).joined(separator: "\n")
    return Sources(origin: .text(text), sources: derived, fingerprint: text)
  }

  /// Readable files of these names in the folder, and of these endings in a folder in it.
  private func files(_ names: [String], _ folder: String, _ endings: [String]) -> [(
    path: FilePath, text: String
  )] {
    let parts = (try? listFolder(etc.appending(folder))) ?? []
    let paths =
      names.map { etc.appending($0) }
      + parts.filter { AptSource.isFileName($0, endings) }.map { etc.appending(folder).appending($0) }
    return paths.compactMap { path in
      (try? readTypedText(path)).map { (path, $0) }
    }
  }
}
