import Files
import SystemPackage

/// What podman, skopeo, buildah and CRI-O know of registries on a host (containers-registries.conf(5) and
/// containers-registries.conf.d(5)).
struct RegistriesConfiguration: Sendable {
  /// A `[[registry]]` table.
  struct Entry: Sendable, Equatable {
    /// The file that it stands in.
    let place: FilePath
    /// Which images it is for.
    let prefix: String
    let isInsecure: Bool
    let isBlocked: Bool
  }

  private static let main: FilePath = "/etc/containers/registries.conf"
  /// Where drop-ins for all users lie.
  static let drops: FilePath = "/etc/containers/registries.conf.d"

  /// What counts: of tables with one prefix the last.
  private(set) var entries: [Entry] = []
  /// Files that cannot be understood, with the reason.
  private(set) var problems: [String] = []
  /// The file of this user that is read instead of that of all users and its drop-ins, where there is one.
  private(set) var replacing: FilePath?

  /// Reads the files of a host, but one.
  init(_ host: TargetHost, except own: FilePath) {
    let settings = Self.userFolder(host)
    let user = settings.appending("registries.conf")
    var files = [Self.main]
    if let path = host.environment["CONTAINERS_REGISTRIES_CONF"], path.hasPrefix("/") {
      files = [FilePath(path)]
    } else if host.exists(user) {
      (files, replacing) = ([user], user)
    }
    // Who has a file of his own gets nothing of that of all users (containers/image, sysregistriesv2).
    let folders = replacing == nil ? [Self.drops] : []
    for folder in folders + [settings.appending("registries.conf.d")] {
      let names = ((try? listFolder(host.path(folder))) ?? []).filter { $0.hasSuffix(".conf") }
      files += names.map { folder.appending($0) }
    }
    for file in files where file != own {
      do {
        guard let bytes = try host.file(file) else { continue }
        take(try TOMLValue(parsing: bytes), of: file)
      } catch let error as TOMLError {
        problems.append("\(file): \(error)")
      } catch {
        problems.append("\(error)")
      }
    }
  }

  /// Where a user's own settings of these programs lie.
  static func userFolder(_ host: TargetHost) -> FilePath {
    let home = FilePath(host.environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/root")
    let settings =
      host.environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? FilePath($0) : nil }
      ?? home.appending(".config")
    return settings.appending("containers")
  }

  /// What one text says.
  init(_ text: String) throws(TOMLError) {
    take(try TOMLValue(parsing: Array(text.utf8)), of: Self.main)
  }

  private mutating func take(_ document: TOMLValue, of file: FilePath) {
    var new: [Entry] = []
    for table in document["registry"]?.list ?? [] {
      guard
        let prefix = [table["prefix"]?.text, table["location"]?.text].compactMap({ $0 }).first(where: {
          !$0.isEmpty
        })
      else { continue }
      new.append(
        Entry(
          place: file, prefix: prefix, isInsecure: table["insecure"]?.boolean ?? false,
          isBlocked: table["blocked"]?.boolean ?? false))
    }
    // The form before 2018: three lists.
    for (kind, isBlocked) in [("insecure", false), ("block", true)] {
      for name in document["registries", kind, "registries"]?.list.compactMap(\.text) ?? [] {
        new.append(Entry(place: file, prefix: name, isInsecure: !isBlocked, isBlocked: isBlocked))
      }
    }
    // A later file replaces what an earlier one says of a prefix.
    let replaced = Set(new.map(\.prefix))
    entries = entries.filter { !replaced.contains($0.prefix) } + new
  }

  /// The table of a registry.
  func entry(of registry: String) -> Entry? { entries.last { $0.prefix == registry } }

  /// The tables of parts of a registry: for those images they count before that of the whole.
  func parts(of registry: String) -> [Entry] { entries.filter { $0.prefix.hasPrefix("\(registry)/") } }
}
