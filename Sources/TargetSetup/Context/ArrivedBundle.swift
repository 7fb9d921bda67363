import Bundle
import Files
import Integrity
import SystemPackage

/// The bundle as it has arrived on the host.
public struct ArrivedBundle: Sendable {
  /// Its folder, an absolute path.
  let folder: FilePath
  /// What it says of itself; `nil` for one that was made by the shell project.
  public let manifest: Manifest?
  /// What a bundle of the shell project is known by; `nil` for one of ours.
  let shell: ShellBundle?
  /// The files of the manifest, by path.
  private let entries: [String: ManifestFile]

  /// A bundle.
  init(_ folder: FilePath, manifest: Manifest?, shell: ShellBundle? = nil) {
    self.folder = folder
    self.manifest = manifest
    self.shell = shell
    entries = Dictionary((manifest?.files ?? []).map { ($0.path.description, $0) }) { first, _ in first }
  }
}

extension ArrivedBundle {
  /// The paths of all files of the bundle below a folder such as `files`, relative to the bundle.
  ///
  /// - Throws: ``StepError`` when the folder cannot be read.
  func files(below name: String) throws(StepError) -> [String] {
    if let manifest {
      return manifest.files.map(\.path.description).filter { $0.hasPrefix(name + "/") }
    }
    if let shell { return shell.files(below: name) }
    let place = folder.appending(name)
    guard FileTree.exists(place) else { return [] }
    do {
      return try BundleTree.files(below: place).map { "\(name)/\($0)" }
    } catch {
      throw StepError("\(place) cannot be read: \(FileError.reason(error))", .medium)
    }
  }

  /// A file of the bundle, proved to be there with the size that it was made with.
  ///
  /// - Returns: Its path for this process.
  /// - Throws: ``StepError``.
  func file(_ path: String) throws(StepError) -> FilePath {
    let place = folder.appending(FilePath(path).components)
    guard let found = try? FileInfo(place), found.kind == .file else {
      throw StepError("the bundle has no \(path)", .recopy)
    }
    if let known = entry(path), known.size != found.size {
      throw StepError(
        "\(place) has \(found.size) bytes instead of \(known.size)", .recopy)
    }
    return place
  }

  /// The settings of a service: those of the bundle, or for one of the shell project those that this program brings.
  ///
  /// - Throws: ``StepError``.
  func serviceText(_ name: String) throws(StepError) -> String {
    guard shell != nil else { return try text(name) }
    let own = [
      "nginx.conf": PackageResources.nginx_conf, "nginx-default.conf": PackageResources.nginx_default_conf,
      "registry-config.yml": PackageResources.registry_config_yml,
    ]
    return String(decoding: own[name] ?? [], as: UTF8.self)
  }

  /// What the manifest says of a file.
  func entry(_ path: String) -> ManifestFile? { entries[path] }

  /// A text by which another content of a file would be noticed without reading it.
  func fingerprint(_ path: String) -> String {
    if let known = entry(path) { return "\(path) \(known.sha256)" }
    let status = FileInfo(regularFile: folder.appending(FilePath(path).components))
    return "\(path) \(status?.size ?? -1) \(status?.modified ?? -1)"
  }

  /// The small files of the bundle as text.
  ///
  /// - Throws: ``StepError``.
  func text(_ path: String) throws(StepError) -> String {
    let place = try file(path)
    do {
      return try readText(place)
    } catch {
      throw StepError(
        "\(place) cannot be read: \((error as? FileError)?.code ?? .ioError)", .medium)
    }
  }
}
