import Files
import Host
import SystemPackage

/// What a host's own settings of dnf make of the bundle's repository.
extension DnfClient {
  /// What dnf says of a package that it knows and does not take, or does not know (dnf's `base.py` and `cli.py`).
  private static let refusals = [
    "exclude filtering", "modular filtering", "Unable to find a match", "No match for argument",
  ]

  /// dnf answers its own question with "no": what matters is that it comes to ask.
  func simulation(of package: String) -> Command? {
    Command(
      "dnf", ["--assumeno"] + Self.options + [package], environment: Self.environment)
  }

  /// A package that collides with one that is there is refused for another reason, which is not the settings' fault.
  func wouldInstall(_ answer: CommandResult) -> Bool {
    let text = answer.standardError + answer.standardOutput
    return answer.status == 0 || !Self.refusals.contains { text.contains($0) }
  }

  func blame(_ result: CommandResult, _ host: TargetHost) -> String? {
    let folder: FilePath = "/etc/dnf"
    let drops = ((try? listFolder(host.path(folder.appending("plugins")))) ?? []).map {
      folder.appending("plugins").appending($0)
    }
    let files = [folder.appending("dnf.conf")] + drops.filter { ["conf", "list"].contains($0.extension) }
    for file in files {
      let text = String(decoding: ((try? host.file(file)) ?? nil) ?? [], as: UTF8.self)
      for line in text.split(whereSeparator: \.isNewline) {
        let setting = line.prefix { $0 != "=" && !$0.isWhitespace }
        guard ["exclude", "excludepkgs", "includepkgs"].contains(setting) else { continue }
        return "\(file) has \(setting), which keeps dnf from packages of the bundle: take it out of there"
      }
    }
    return nil
  }
}
