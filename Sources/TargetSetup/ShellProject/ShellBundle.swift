import Bundle
import Files
import Host
import Settings
import SystemPackage

/// A bundle that was made by the shell project kubespray-offline: no manifest, and a config.sh for its settings.
struct ShellBundle: Sendable {
  /// The bundle's folder.
  let folder: FilePath
  /// Its config.sh.
  let settings: ShellSettings
  /// All its files, by path below the folder; links are left out.
  let files: [String]
  private let paths: Set<String>
  /// What a person should know of its settings: sentences.
  private(set) var remarks: [String] = []

  /// Looks at a folder; `nil` when the bundle in it, if any, is none of the shell project.
  ///
  /// - Parameter environment: The variables that config.sh would find.
  /// - Throws: ``StepError`` when the folder cannot be read.
  init?(_ folder: FilePath, environment: [String: String]) throws(StepError) {
    func has(_ path: String) -> Bool { FileTree.exists(folder.pushing(FilePath(path))) }
    // Ours have all of these but for the lists, and a config.sh too.
    guard !has(Manifest.fileName), !has(Manifest.unfinishedFileName), !has("config.yml"), has("config.sh"),
      has("files/files.list") || has("images/images.list")
    else { return nil }
    let script = folder.appending("config.sh")
    let text: String
    do {
      text = try readText(script)
      files = try BundleTree.files(below: folder).filter { path in
        (try? FileInfo(folder.pushing(FilePath(path))))?.kind == .file
      }
    } catch {
      throw StepError("\(folder) cannot be read: \(FileError.reason(error))", .medium)
    }
    self.folder = folder
    paths = Set(files)
    settings = ShellSettings(
      path: script.string,
      assignments: ShellAssignments(text, environment: environment))
  }

  /// Whether there is a file of that path.
  func has(_ path: String) -> Bool { paths.contains(path) }

  /// The files below a folder such as `images`.
  func files(below folder: String) -> [String] { files.filter { $0.hasPrefix(folder + "/") } }

  /// A small file as text; empty when there is none.
  func text(_ path: String) -> String { (try? readText(folder.pushing(FilePath(path)))) ?? "" }

  /// The words of a list, one a line; what follows `#` is a comment.
  func list(_ path: String) -> [String] {
    text(path).split(whereSeparator: \.isNewline).compactMap { line in
      line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }
  }
}

// MARK: Versions

extension ShellBundle {
  /// Takes the versions that the bundle has where its config.sh names others.
  ///
  /// config.sh is copied into a bundle as it is, and what it names is kept equal to kubespray by hand: a bundle made with
  /// `KUBESPRAY_VERSION` in the environment, or of another kubespray, has other versions than its config.sh says.
  mutating func adjust(_ configuration: inout Configuration, architecture: String) {
    let binaries = files(below: "files")
    func versions(_ prefix: String, _ suffix: String) -> [String] {
      Set(binaries.compactMap { Self.middle(of: $0, prefix, suffix) }).sorted()
    }
    choose(
      "containerd", versions("containerd-", "-linux-\(architecture).tar.gz"),
      &configuration.versions.containerd)
    choose("nerdctl", versions("nerdctl-", "-linux-\(architecture).tar.gz"), &configuration.versions.nerdctl)
    choose(
      "the CNI plugins", versions("cni-plugins-linux-\(architecture)-v", ".tgz"), &configuration.versions.cni)
    let runcs = binaries.compactMap { path -> String? in
      let parts = path.split(separator: "/")
      guard parts.count > 2, parts.last == "runc.\(architecture)" else { return nil }
      return parts[parts.count - 2].hasPrefix("v") ? String(parts[parts.count - 2].dropFirst()) : nil
    }
    choose("runc", Set(runcs).sorted(), &configuration.versions.runc)
    var kubespray: String? = configuration.kubespray.version
    choose("kubespray", versions("kubespray-", ".tar.gz"), &kubespray)
    configuration.kubespray.version = kubespray ?? configuration.kubespray.version
    configuration.versions.nginx = image("nginx", configuration.versions.nginx)
    configuration.versions.registry = image("registry", configuration.versions.registry)
  }

  private mutating func choose(_ name: String, _ found: [String], _ version: inout String?) {
    if let version, found.contains(version) { return }
    guard found.count == 1, let only = found.first else { return }
    if let version {
      remarks.append("config.sh names \(name) \(version), and the bundle has \(only), which is used")
    }
    version = only
  }

  /// The tag of one of the two images that the admin host runs. kubespray's own list may have more of that name.
  private mutating func image(_ name: String, _ tag: String) -> String {
    let archives = files(below: "images").compactMap {
      Self.middle(of: $0, "docker.io_library_\(name)-", ".tar.gz")
    }
    let additional = list("images/additional-images.list").compactMap { try? ImageReference($0) }
      .filter { $0.registry == ImageReference.defaultRegistry && $0.repository == "library/\(name)" }
      .compactMap(\.tag).filter(archives.contains)
    var chosen: String? = tag
    choose(
      "the image \(name)", archives.contains(tag) ? [tag] : additional.isEmpty ? archives : additional,
      &chosen)
    return chosen ?? tag
  }

  /// What a file name has between two texts.
  private static func middle(of path: String, _ prefix: String, _ suffix: String) -> String? {
    guard let name = path.split(separator: "/").last, name.hasPrefix(prefix), name.hasSuffix(suffix),
      name.count > prefix.count + suffix.count
    else { return nil }
    return String(name.dropFirst(prefix.count).dropLast(suffix.count))
  }
}

// MARK: Images

extension ShellBundle {
  /// An image that one of the lists names.
  struct ListedImage: Sendable, Equatable {
    /// As the list has it.
    let name: String
    /// The list.
    let list: String
    /// Its archive in the bundle; `nil` when there is none.
    let archive: String?
  }

  /// The images of all lists, each once. They, and no others, go into the registry: archives of an earlier version stay
  /// in such a bundle for ever.
  func images() -> [ListedImage] {
    let present = Set(files)
    var seen: Set<String> = []
    return files(below: "images").filter { $0.hasSuffix(".list") }.flatMap { list in
      self.list(list).filter { seen.insert($0).inserted }.map { name in
        ListedImage(name: name, list: list, archive: Self.archives(of: name).first(where: present.contains))
      }
    }
  }

  /// Where the shell project may have put an image: its rules for short names miss some.
  private static func archives(of name: String) -> [String] {
    let full = (try? ImageReference(name)).flatMap { try? $0.archivePath().description }
    let asWritten = name.replacing("/", with: "_").replacing(":", with: "-")
    return [full, "images/\(asWritten).tar.gz", "images/docker.io_library_\(asWritten).tar.gz"].compactMap {
      $0
    }
  }
}
