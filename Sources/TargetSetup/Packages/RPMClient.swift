import Host
import SystemPackage

/// dnf or zypper: a package manager above rpm, which reads repositories of RPM packages.
protocol RPMClient: PackageClient {}

extension RPMClient {
  static var environment: [String: String?] { ["LC_ALL": "C.UTF-8"] }

  /// Keys that rpm knows have their whole name only, because all of them are called the same otherwise.
  var listInstalled: Command {
    command(
      "rpm",
      [
        "--query", "--all", "--queryformat",
        "installed %{NAME}\\ninstalled %{NAME}-%{VERSION}-%{RELEASE}\\n",
      ])
  }

  func remove(_ names: [String]) -> Command { command("rpm", ["--erase"] + names).unbroken() }

  var settle: Command? { nil }

  /// rpm's database has all of it, and loses it with the package.
  func forget(_ names: Set<String>, on host: TargetHost) {}

  func sample(
    of repository: BundleRepositories.Repository, _ bundle: ArrivedBundle, installed: Set<String>
  ) throws(StepError) -> String? {
    let files = try bundle.files(below: repository.path).filter { $0.hasSuffix(".rpm") }
    let names = files.compactMap(Self.name).sorted()
    return names.first { !installed.contains($0) } ?? names.first
  }

  /// The name in `NAME-VERSION-RELEASE.ARCHITECTURE.rpm`.
  private static func name(_ path: String) -> String? {
    let file = path.split(separator: "/").last ?? ""
    let parts = file.split(separator: "-")
    return parts.count > 2 ? parts.dropLast(2).joined(separator: "-") : nil
  }

  func keys(_ repository: BundleRepositories.Repository, in folder: FilePath) -> [ClientFile] {
    repository.publicKeys.map {
      ClientFile(path: folder.appending(RepositoryFiles.installedKey($0)), content: .key($0))
    }
  }

  func command(_ program: String, _ arguments: [String]) -> Command {
    Command(program, arguments, environment: Self.environment)
  }
}
