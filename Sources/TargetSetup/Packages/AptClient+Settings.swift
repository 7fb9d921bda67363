import Files
import Host
import SystemPackage

/// What a host's own settings of apt make of the bundle's repository.
extension AptClient {
  private static let parts: FilePath = "/etc/apt/sources.list.d"

  func sample(
    of repository: BundleRepositories.Repository, _ bundle: ArrivedBundle, installed: Set<String>
  ) throws(StepError) -> String? {
    let folder =
      repository.hasArchitectures ? "\(repository.path)/\(Architecture.current.rawValue)" : repository.path
    guard try bundle.has("\(folder)/Packages") else { return nil }
    let bytes = try bundle.bytes("\(folder)/Packages")
    var names: [String] = []
    var free: [String] = []
    var name: String?
    var needsOthers = false
    func close() {
      if let name {
        names.append(name)
        if !needsOthers { free.append(name) }
      }
      (name, needsOthers) = (nil, false)
    }
    for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
      if line.isEmpty { close() }
      let text = String(decoding: line, as: UTF8.self)
      if text.hasPrefix("Package:") { name = String(text.dropFirst(8).drop { $0 == " " }) }
      if text.hasPrefix("Depends:") || text.hasPrefix("Pre-Depends:") { needsOthers = true }
    }
    close()
    return free.first { !installed.contains($0) } ?? free.first ?? names.first
  }

  func wouldInstall(_ answer: CommandResult) -> Bool {
    // What is broken on the host already may be mended from the bundle.
    answer.status == 0 || (answer.standardError + answer.standardOutput).contains("fix-broken")
  }

  func configuredSources(_ host: TargetHost) async throws -> [FilePath] {
    let question = Command(
      "apt-config", ["shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"])
    guard let answer = try? await host.run(question), answer.status == 0 else { return [] }
    var found: [String: FilePath] = [:]
    for line in answer.standardOutput.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let value = parts[1].filter { $0 != "'" }
      if value.hasPrefix("/") { found[String(parts[0])] = FilePath(value) }
    }
    if let folder = found["PARTS"], folder != Self.parts {
      let place = place(of: "sourceparts", host).map { " (Dir::Etc::SourceParts in \($0))" } ?? ""
      throw StepError(
        "apt reads its sources in \(folder)\(place) and not in \(Self.parts), so it would not read the bundle's",
        .correctFile)
    }
    guard let list = found["LIST"], !sourceFiles.contains(list), list != "/dev/null", host.exists(list) else {
      return []
    }
    return [list]
  }

  func blame(_ result: CommandResult, _ host: TargetHost) -> String? {
    let text = result.standardError + result.standardOutput
    if text.contains("APT::Default-Release") {
      let place = place(of: "default-release", host).map { " in \($0)" } ?? ""
      return
        "APT::Default-Release\(place) names a release, and the bundle's repository is of none: take it out of there"
    }
    if text.contains("no installation candidate") || text.contains("Unable to locate package") {
      let files: [FilePath] = ["/etc/apt/preferences"] + files(in: "/etc/apt/preferences.d", host)
      guard let place = files.first(where: { self.text($0, host).contains(/pin-priority:\s*-/) }) else {
        return nil
      }
      return
        "\(place) has a pin below zero, by which apt installs nothing from the bundle: take it out of there"
    }
    return nil
  }

  /// The file of apt's settings that has a setting.
  private func place(of setting: String, _ host: TargetHost) -> FilePath? {
    let files = [FilePath("/etc/apt/apt.conf")] + files(in: "/etc/apt/apt.conf.d", host)
    return files.last { text($0, host).contains(setting) }
  }

  private func files(in folder: FilePath, _ host: TargetHost) -> [FilePath] {
    ((try? listFolder(host.path(folder))) ?? []).map { folder.appending($0) }
  }

  private func text(_ file: FilePath, _ host: TargetHost) -> String {
    String(decoding: ((try? host.file(file)) ?? nil) ?? [], as: UTF8.self).lowercased()
  }
}
