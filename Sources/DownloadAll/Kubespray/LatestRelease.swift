import Bundle
import Console
import FoundationEssentials
import Kubespray
import Settings
import Transfer

/// What `kubespray.version: latest` stands for: the newest release that kubespray has published.
public enum LatestRelease {
  /// The word in the settings.
  static let name = "latest"
  /// All releases, the newest day first; those of older branches are published between the others, so the first need not be
  /// the newest version.
  private static let listing = "https://api.github.com/repos/kubernetes-sigs/kubespray/releases?per_page=30"

  private struct Entry: Decodable {
    let tag: String
    let isDraft: Bool
    let isPrerelease: Bool

    private enum CodingKeys: String, CodingKey {
      case tag = "tag_name"
      case isDraft = "draft"
      case isPrerelease = "prerelease"
    }
  }

  private struct NoList: Error, CustomStringConvertible {
    let description = "the server did not send a list of releases"
  }

  /// The settings with the version that is meant. A locked run takes that of its lock. Where the list of releases cannot be
  /// had, it is the newest that is known: of this program, or of the bundle that is there.
  ///
  /// - Throws: `ConfigurationError` when the settings name a source too, which has a version of its own;
  ///   `LockUnusable`; `CancellationError`.
  public static func resolved(
    _ configuration: Configuration, environment: [String: String], emit: @Sendable (ConsoleEvent) -> Void
  ) async throws -> Configuration {
    let names = configuration.kubespray.version.split(separator: ",").map(String.init)
    guard names.contains(name) else { return configuration }
    var configuration = configuration
    configuration.kubespray.version = name
    let latest = try await one(configuration, environment, emit)
    // Named by its number too, it is still one.
    configuration.kubespray.version = names.filter { $0 != latest }.map { $0 == name ? latest : $0 }.joined(
      separator: ",")
    return configuration
  }

  /// The version that is meant by a setting that is nothing but `latest`.
  private static func one(
    _ configuration: Configuration, _ environment: [String: String], _ emit: @Sendable (ConsoleEvent) -> Void
  ) async throws -> String {
    guard configuration.kubespray.source == nil else {
      throw ConfigurationError(problems: [
        "kubespray.version: latest is about the published releases, and kubespray.source names another kubespray. Name "
          + "the version of that, or leave kubespray.source out."
      ])
    }
    if configuration.locked {
      return try BundleLock.load(configuration.lock).kubespray
    }
    let known = known(configuration)
    guard !configuration.transfer.offline else {
      emit(say(.info, "the latest kubespray that is known here is \(known): the network is not asked"))
      return known
    }
    do {
      let published = try await published(configuration, environment)
      // A list that was cached on the way may be older than what is here.
      let latest = newest([published, known].compactMap(\.self)) ?? known
      emit(say(.info, "the latest kubespray is \(latest)"))
      return latest
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      let reason = (error as? TransferError)?.detail ?? "\(error)"
      emit(
        say(
          .warning,
          "it is not known which kubespray is the latest (\(reason)): \(known) is the newest that is known here. "
            + "Name another one with --kubespray-version"))
      try Task.checkCancellation()
      return known
    }
  }

  private static func say(_ level: MessageLevel, _ text: String) -> ConsoleEvent {
    .message(level, text, stage: StageName.kubespray.rawValue)
  }

  /// The newest release that was published; `nil` when the list has none.
  private static func published(
    _ configuration: Configuration, _ environment: [String: String]
  ) async throws -> String? {
    let engine = try TransferEngine(TransferConfiguration(configuration, environment: environment))
    let remote = RemoteFiles(engine: engine, mirrors: configuration.mirrors)
    var request = HTTPRequest(url: remote.address(of: listing))
    // A rate limit of an hour: nobody waits for that.
    request.finalStatuses = [403, 429]
    let answer = try await engine.response(to: request)
    guard let entries = try? JSONDecoder().decode([Entry].self, from: Data(answer.body)) else {
      throw NoList()
    }
    return newest(entries.filter { !$0.isDraft && !$0.isPrerelease }.map(\.tag))
  }

  /// The newest of some versions; what is no release, or one before a release, does not count.
  private static func newest(_ names: [String]) -> String? {
    let releases = names.compactMap { try? KubesprayVersion($0) }.filter {
      $0.kind == .release && !$0.name.contains("-")
    }
    return releases.max { KubesprayReleases.isOlder($0, than: $1) }?.name
  }

  /// The newest release that is known without asking anybody.
  private static func known(_ configuration: Configuration) -> String {
    let manifest = (try? Manifest.load(from: configuration.outputs)).flatMap { $0 }
    return newest([manifest?.kubespray, KubesprayReleases.newest].compactMap(\.self))
      ?? KubesprayReleases.newest
  }
}
