import Bundle
import Files
import FoundationEssentials
import Host
import SystemPackage

/// A bundle whose files the web server of this host hands out.
struct ServedRelease: Sendable, Equatable, Codable {
  /// The bundle's id; of a bundle of the shell project, which has none, a name made of its version.
  let id: String
  /// The kubespray version that it is for.
  let kubespray: String
  /// See ``folder``: JSON has texts.
  private let path: String
  /// Its files, by path below the folder, with their digests as hexadecimal digits; of a bundle of the shell project none.
  let files: [String: String]

  /// The folder whose content is served below `/files`, a path of the host: the bundle's own, or a copy.
  var folder: FilePath { FilePath(path) }

  /// A release that is served.
  init(id: String, kubespray: String, folder: FilePath, files: [String: String]) {
    (self.id, self.kubespray, path, self.files) = (id, kubespray, folder.string, files)
  }

  /// The version as one part of an address; `nil` when it cannot be one.
  var addressPart: String? {
    kubespray.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9.-]*/) == nil ? nil : kubespray
  }
}

/// The bundles whose files this host serves beside one another, the one that was set up last first: a cluster of an earlier
/// release still needs its files when a node is replaced.
struct ServedReleases: Sendable {
  /// An earlier bundle that is served no longer.
  struct Dropped: Sendable, Equatable {
    let release: ServedRelease
    let reason: String
  }

  /// Those that are served, the present one first.
  let releases: [ServedRelease]
  /// Those that no longer can be.
  let dropped: [Dropped]

  /// The file that remembers them.
  static func file(_ host: TargetHost) -> FilePath { host.stateFolder.appending("releases.json") }

  /// The present bundle and what the host remembers of earlier ones.
  ///
  /// - Throws: ``StepError`` when the file that remembers them cannot be read.
  init(present: ServedRelease, on host: TargetHost) throws(StepError) {
    var releases = [present]
    var dropped: [Dropped] = []
    for earlier in try Self.read(host) where earlier.id != present.id {
      if earlier.folder == present.folder {
        dropped.append(Dropped(release: earlier, reason: "\(earlier.folder) now holds another bundle"))
      } else if !host.exists(earlier.folder) {
        dropped.append(Dropped(release: earlier, reason: "\(earlier.folder) is gone"))
      } else {
        releases.append(earlier)
      }
    }
    (self.releases, self.dropped) = (releases, dropped)
  }

  /// What is remembered, the one that was set up last first.
  ///
  /// - Throws: ``StepError`` when the file cannot be read.
  static func read(_ host: TargetHost) throws(StepError) -> [ServedRelease] {
    guard let bytes = try host.file(file(host)) else { return [] }
    do {
      return try JSONDecoder().decode([ServedRelease].self, from: Data(bytes))
    } catch {
      throw StepError(
        "\(file(host)), which names the bundles that are served, is damaged", .moveAway)
    }
  }

  /// What is to be remembered.
  func bytes() throws -> [UInt8] { try Self.bytes(releases) }

  /// The bytes of the file that remembers releases.
  static func bytes(_ releases: [ServedRelease]) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return Array(try encoder.encode(releases))
  }

  /// The paths at which an earlier bundle has another content than the present one, by the bundle.
  var conflicts: [(release: ServedRelease, paths: [String])] {
    guard let present = releases.first else { return [] }
    return releases.dropFirst().compactMap { earlier in
      let paths = earlier.files.filter { path, digest in present.files[path].map { $0 != digest } ?? false }
      return paths.isEmpty ? nil : (earlier, paths.keys.sorted())
    }
  }

  /// What the container sees of the earlier ones.
  var mounts: [ContainerService.Mount] {
    releases.enumerated().dropFirst().map { number, release in
      .init(source: release.folder, place: "\(Self.place(number))/files", isOptional: true)
    }
  }

  /// The lines of the web server's configuration: a file that the present bundle lacks comes from the next one that has it,
  /// and each release has an address of its own as well.
  var lines: [String] {
    // Hidden files are for nobody.
    let visible = #"(?!(.*/)?\.)"#
    var lines = [
      "    location ~ ^/files/\(visible) {", "        autoindex on;", "        autoindex_exact_size off;",
      "        try_files $uri $uri/ \(releases.count > 1 ? "@release1" : "=404");", "    }",
    ]
    for number in releases.indices.dropFirst() {
      let next = number + 1 < releases.count ? "@release\(number + 1)" : "=404"
      lines += [
        "    location @release\(number) {", "        root \(Self.place(number));",
        "        try_files $uri \(next);", "    }",
      ]
    }
    var known: Set<String> = []
    for (number, release) in releases.enumerated() {
      guard let part = release.addressPart, known.insert(part).inserted else { continue }
      let version = part.replacing(".", with: #"\."#)
      lines += [
        "    location ~ ^/releases/\(version)(?<released>/files/\(visible).*)$ {",
        "        root \(number == 0 ? "/usr/share/nginx/html" : Self.place(number));",
        "        try_files $released =404;", "    }",
      ]
    }
    return lines
  }

  private static func place(_ number: Int) -> String { "/usr/share/nginx/releases/\(number)" }
}
