import FoundationEssentials
import Host
import SystemPackage

/// podman, skopeo, buildah and CRI-O: a drop-in of registries.conf, or the CA in certs.d
/// (containers-registries.conf.d(5), containers-certs.d(5)).
struct ContainersClient: ContainerClient {
  let title = "podman and skopeo"

  func settings(
    _ registry: ClientRegistry, _ host: TargetHost, _ journal: Journal
  ) async throws -> ClientSettings? {
    guard host.hasProgram("podman", "skopeo", "buildah", "crio") || host.exists("/etc/containers") else {
      return nil
    }
    var settings = ClientSettings()
    if let objection = ImagePolicy.objection(to: registry.name, host) { settings.remarks.append(objection) }
    switch registry.trust {
    case .system: break
    case .authority(let bytes):
      let folder = FilePath("/etc/containers/certs.d").appending(registry.name)
      settings.files.append(try ClientSettings.authority(bytes, in: folder, host, journal))
      if registry.login != nil {
        settings.remarks.append(ClientSettings.loginRemark("podman", registry.name))
      }
    case .plain, .unchecked:
      let file = RegistriesConfiguration.drops.appending(Self.fileName(registry.name))
      let known = RegistriesConfiguration(host, except: file)
      settings.remarks += known.problems.map { "\($0): podman and skopeo cannot read it" }
      var tables: [String] = []
      for name in registry.names {
        for part in known.parts(of: name) where part.isBlocked || !part.isInsecure {
          settings.remarks.append(
            "\(part.place) has a [[registry]] of \(part.prefix), which counts for those images; it is left as it is. "
              + (part.isBlocked ? "Take \"blocked\" out of it." : "Write \"insecure = true\" into it."))
        }
        switch known.entry(of: name) {
        case nil: tables.append("[[registry]]\nlocation = \"\(name)\"\ninsecure = true\n")
        case let entry? where entry.isBlocked:
          settings.remarks.append(
            "\(entry.place) blocks \(name); it is left as it is. Take that out of it.")
        case let entry? where entry.isInsecure: continue
        case let entry?:
          settings.remarks.append(
            "\(entry.place) has a [[registry]] of \(name) already; it is left as it is. Write \"insecure = true\" into it."
          )
        }
      }
      guard !tables.isEmpty else { break }
      if let user = known.replacing {
        settings.remarks.append(
          "\(user) is read instead of /etc/containers/registries.conf and its drop-ins, so what is written there does not count for "
            + "this user. Write into it: \(tables.map { $0.split(separator: "\n").joined(separator: "; ") }.joined(separator: "; "))"
        )
      }
      let head = "# Written by kubespray-offline; \"target-setup undo registry-client\" takes it back.\n"
      settings.files.append(
        .init(path: file, bytes: Array(([head] + tables).joined(separator: "\n").utf8)))
    }
    return settings
  }

  /// podman tells what came of all its files (podman-info(1)); the other programs read the same ones.
  func objection(to registry: ClientRegistry, _ host: TargetHost) async throws -> String? {
    guard registry.trust == .plain || registry.trust == .unchecked, host.hasProgram("podman") else {
      return nil
    }
    let result = try await host.run(Command("podman", ["info", "--format", "{{json .Registries}}"]))
    guard result.status == 0 else {
      let said = result.standardError.split(separator: "\n").last.map { ": \($0)" } ?? ""
      return "podman cannot read its settings\(said)"
    }
    // The search list stands among the registries and is none.
    let known = try? JSONDecoder().decode([String: Told].self, from: Data(result.standardOutput.utf8))
    guard let known else { return nil }
    let unknown = registry.names.filter { name in
      guard !ClientRegistry.isLoopback(name) else { return false }
      guard case .registry(let insecure, let blocked) = known[name] else { return true }
      return !insecure || blocked
    }
    return unknown.isEmpty
      ? nil
      : "podman does not take \(unknown.joined(separator: " and ")) as a registry without TLS, though a file says so: "
        + "see \"podman info\""
  }

  /// What `podman info` has under a name.
  private enum Told: Decodable {
    case registry(isInsecure: Bool, isBlocked: Bool)
    case other

    private struct Entry: Decodable {
      let isInsecure: Bool
      let isBlocked: Bool

      enum CodingKeys: String, CodingKey {
        case isInsecure = "Insecure"
        case isBlocked = "Blocked"
      }
    }

    init(from decoder: any Decoder) throws {
      let entry = try? Entry(from: decoder)
      self = entry.map { .registry(isInsecure: $0.isInsecure, isBlocked: $0.isBlocked) } ?? .other
    }
  }

  private static func fileName(_ registry: String) -> String {
    let name = registry.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" }
    return "kubespray-offline-\(String(name)).conf"
  }
}
