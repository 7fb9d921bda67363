import Bundle
import Files
import Integrity
import SystemPackage

/// The bundle as it has arrived on the host: what there is in it. Its files are opened by the door in
/// `BundleDoor.swift`, and in no other way.
public struct ArrivedBundle: Sendable {
  /// Its folder, an absolute path.
  let folder: FilePath
  /// What it says of itself; `nil` for one that was made by the shell project.
  public let manifest: Manifest?
  /// What a bundle of the shell project is known by; `nil` for one of ours.
  let shell: ShellBundle?
  /// The places of the manifest's files, by path.
  private let places: [String: Int32]

  /// A bundle.
  init(_ folder: FilePath, manifest: Manifest?, shell: ShellBundle? = nil) {
    self.folder = folder
    self.manifest = manifest
    self.shell = shell
    let files = manifest?.files ?? []
    places = Dictionary(zip(files.lazy.map(\.path.description), 0...)) { first, _ in first }
  }

  /// The folders of a bundle whose files are used on the host or served by it: nothing unknown may be in them.
  static let usedFolders = ["debs", "files", "images", "lib", "patches", "playbook", "pypi", "rpms"]
}

extension ArrivedBundle {
  /// Whether there is a whole bundle in the folder, of whichever project.
  var isFinished: Bool { manifest != nil || shell != nil }

  /// The paths of all files of the bundle below a folder such as `files`, relative to the bundle, in order of bytes.
  /// The manifest says which there are, whatever lies on the disk.
  ///
  /// - Throws: ``StepError`` when the folder holds no finished bundle.
  func files(below name: String) throws(StepError) -> [String] {
    if let manifest {
      let folder = name + "/"
      return manifest.files.compactMap { file in
        let path = file.path.description
        return path.hasPrefix(folder) ? path : nil
      }
    }
    guard let shell else { throw .unfinished(folder) }
    return shell.files(below: name)
  }

  /// Whether the bundle has a file of that path.
  ///
  /// - Throws: ``StepError`` when the folder holds no finished bundle.
  func has(_ path: String) throws(StepError) -> Bool {
    if manifest != nil { return places[path] != nil }
    guard let shell else { throw .unfinished(folder) }
    return shell.has(path)
  }

  /// What the manifest says of a file.
  func entry(_ path: String) -> ManifestFile? {
    places[path].flatMap { manifest?.files[Int($0)] }
  }

  /// How many bytes a file has.
  func size(_ path: String) -> Int64 { entry(path)?.size ?? FileInfo(regularFile: place(path))?.size ?? 0 }

  /// A text by which another content of a file would be noticed without reading it.
  func fingerprint(_ path: String) -> String {
    if let known = entry(path) { return "\(path) \(known.sha256)" }
    let status = FileInfo(regularFile: place(path))
    return "\(path) \(status?.size ?? -1) \(status?.modified ?? -1)"
  }

  /// The images of the bundle; of one of the shell project, those that its lists name.
  var images: [ImageReference] {
    if let shell { return shell.images().compactMap { try? ImageReference($0.name) } }
    return (manifest?.files ?? []).compactMap(\.image?.reference)
  }

  /// Where a file lies, for messages and for what is asked about it without opening it.
  func place(_ path: String) -> FilePath { folder.appending(FilePath(path).components) }

  /// Refuses files in some of the bundle's folders that the manifest does not list.
  ///
  /// - Throws: ``StepError`` that names them.
  func refuseUnexpected(below folders: [String]) throws(StepError) {
    guard manifest != nil else { return }
    var found: [String] = []
    do {
      for name in folders {
        guard let top = try? FileInfo(folder.appending(name)) else { continue }
        guard top.kind == .folder else {
          found.append(name)
          continue
        }
        found += try BundleTree.files(below: folder.appending(name)) { places["\(name)/\($0)"] == nil }
          .map { "\(name)/\($0)" }
      }
    } catch {
      throw StepError("\(folder) cannot be read: \(FileError.reason(error))", .medium)
    }
    found.removeAll { places[$0] != nil }
    guard !found.isEmpty else { return }
    let shown = found.prefix(5).joined(separator: ", ")
    let rest = found.count > 5 ? " and \(found.count - 5) more" : ""
    throw StepError(
      "\(folder) has what \(Manifest.fileName) does not list: \(shown)\(rest)", .removeUnexpected)
  }
}

extension StepError {
  /// There is no finished bundle in a folder.
  static func unfinished(_ bundle: FilePath) -> StepError {
    if let place = ChangedNames.found(Manifest.fileName, in: bundle) {
      return StepError("\(bundle) has no \(Manifest.fileName); \(ChangedNames.remark(place))", .medium)
    }
    // What people name is often the folder around the bundle, or one of those in it.
    let near =
      ((try? listFolder(bundle)) ?? []).map { bundle.appending($0) } + [bundle.removingLastComponent()]
    if let other = near.first(where: { fileExists($0.appending(Manifest.fileName)) }) {
      return StepError("\(bundle) has no \(Manifest.fileName), but \(other) has", .otherBundleFolder(other))
    }
    return
      StepError(
        "\(bundle) has no \(Manifest.fileName): there is no bundle, or it was not finished or not copied to its end",
        .finishBundle)
  }
}
