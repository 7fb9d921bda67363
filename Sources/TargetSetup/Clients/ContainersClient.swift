import Files
import SystemPackage

/// podman, skopeo, buildah and CRI-O: a drop-in of registries.conf, or the CA in certs.d
/// (containers-registries.conf.d(5), containers-certs.d(5)).
struct ContainersClient: ContainerClient {
  private static let main: FilePath = "/etc/containers/registries.conf"
  private static let drops: FilePath = "/etc/containers/registries.conf.d"

  let title = "podman and skopeo"

  func settings(
    _ registry: ClientRegistry, _ host: TargetHost, _ journal: Journal
  ) async throws -> ClientSettings? {
    guard host.hasProgram("podman", "skopeo", "buildah", "crio") || host.exists("/etc/containers") else {
      return nil
    }
    var settings = ClientSettings()
    switch registry.trust {
    case .system: break
    case .authority(let bytes):
      let folder = FilePath("/etc/containers/certs.d").appending(registry.name)
      settings.files.append(try ClientSettings.authority(bytes, in: folder, host, journal))
      if registry.login != nil {
        settings.remarks.append(ClientSettings.loginRemark("podman", registry.name))
      }
    case .plain, .unchecked:
      let file = Self.drops.appending(Self.fileName(registry.name))
      var tables: [String] = []
      for name in registry.names {
        switch try Self.entry(name, host, except: file) {
        case nil: tables.append("[[registry]]\nlocation = \"\(name)\"\ninsecure = true\n")
        case let entry? where entry.isInsecure: continue
        case let entry?:
          settings.remarks.append(
            "\(entry.place) has a [[registry]] of \(name) already; it is left as it is. Write \"insecure = true\" into it."
          )
        }
      }
      guard !tables.isEmpty else { break }
      let head = "# Written by kubespray-offline; \"target-setup undo registry-client\" takes it back.\n"
      settings.files.append(
        .init(path: file, bytes: Array(([head] + tables).joined(separator: "\n").utf8)))
    }
    return settings
  }

  private static func fileName(_ registry: String) -> String {
    let name = registry.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" }
    return "kubespray-offline-\(String(name)).conf"
  }

  /// What another file says of a registry: the table of a later file would take the place of all of it.
  private static func entry(
    _ name: String, _ host: TargetHost, except own: FilePath
  ) throws(StepError) -> (place: FilePath, isInsecure: Bool)? {
    let names = ((try? listFolder(host.path(drops))) ?? []).filter { $0.hasSuffix(".conf") }
    var found: (place: FilePath, isInsecure: Bool)?
    for file in [main] + names.map({ drops.appending($0) }) where file != own {
      let text = String(decoding: try host.file(file) ?? [], as: UTF8.self)
      if let isInsecure = RegistriesText(text).isInsecure(name) { found = (file, isInsecure) }
    }
    return found
  }
}

/// The `[[registry]]` tables of a registries.conf, as far as they matter here.
struct RegistriesText {
  private struct Table {
    var prefix: String?
    var location: String?
    var isInsecure = false
  }

  private var tables: [Table] = []

  /// Reads lines of `key = value` below `[[registry]]`.
  init(_ text: String) {
    var current: Table?
    func close(_ tables: inout [Table]) { if let table = current { tables.append(table) } }
    for raw in text.split(whereSeparator: \.isNewline) {
      let line = raw.filter { !$0.isWhitespace }
      if line.hasPrefix("#") { continue }
      if line.hasPrefix("[") {
        close(&tables)
        current = line.hasPrefix("[[registry]]") ? Table() : nil
        continue
      }
      let parts = line.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, current != nil else { continue }
      let value = parts[1].prefix { $0 != "#" }
      let text = String(value.drop { "\"'".contains($0) }.prefix { !"\"'".contains($0) })
      switch parts[0] {
      case "prefix": current?.prefix = text
      case "location": current?.location = text
      case "insecure": current?.isInsecure = value == "true"
      default: break
      }
    }
    close(&tables)
  }

  /// Whether the table of a registry says that it is insecure; `nil` when there is no table of it.
  func isInsecure(_ registry: String) -> Bool? {
    tables.last { ($0.prefix ?? $0.location) == registry }?.isInsecure
  }
}
