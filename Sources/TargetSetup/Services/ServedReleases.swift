import Bundle
import Files
import FoundationEssentials
import Host
import SystemPackage

/// The bundles that this host serves beside one another, the one that was set up last first: a cluster of an earlier release
/// still needs its files when a node is replaced, and its packages, signed with the key that its nodes know.
struct ServedReleases: Sendable {
  /// What of an earlier bundle is served no longer.
  struct Dropped: Sendable, Equatable {
    let release: ServedRelease
    /// The folders that were served.
    let parts: [ServedTree.Part]
    let reason: String
  }

  /// Those that are served, the present one first.
  let releases: [ServedRelease]
  /// What no longer can be.
  let dropped: [Dropped]
  /// The bundle of the same version that was served when this one came; `nil` when it is this one, or there was none.
  let replaced: ServedRelease?
  /// Those among the earlier ones that an earlier version of this program has set up, until this is written down anew.
  let ofEarlierVersion: [ServedRelease]

  /// The file that remembers them.
  static func file(_ host: TargetHost) -> FilePath { host.stateFolder.appending("releases.json") }

  /// The present bundle and what the host remembers of earlier ones.
  ///
  /// - Throws: ``StepError`` when the file that remembers them cannot be read.
  init(present: ServedRelease, on host: TargetHost) throws(StepError) {
    var releases = [present]
    var dropped: [Dropped] = []
    let known = try Self.read(host)
    for earlier in known where earlier.id != present.id {
      let there = earlier.partsThere(on: host)
      let gone = earlier.parts.filter { !there.contains($0) }
      if earlier.folder == present.folder {
        dropped.append(
          Dropped(
            release: earlier, parts: earlier.parts, reason: "\(earlier.folder) now holds another bundle"))
        continue
      }
      if !gone.isEmpty {
        let places = there.isEmpty ? [earlier.folder] : gone.map { earlier.place(of: $0) }
        let names = places.map(\.string).joined(separator: " and ")
        dropped.append(
          Dropped(release: earlier, parts: gone, reason: "\(names) \(places.count > 1 ? "are" : "is") gone"))
      }
      if !there.isEmpty { releases.append(earlier.with(there)) }
    }
    (self.releases, self.dropped) = (releases, dropped)
    let before = known.first { $0.kubespray == present.kubespray }
    replaced = before?.id == present.id ? nil : before
    ofEarlierVersion = known.filter { $0.isOfEarlierVersion && $0.id != present.id }
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

  /// The numbers of those that have the address of their version: of several bundles of one version, the one that was set up
  /// last.
  static func addressed(_ releases: [ServedRelease]) -> [Int] {
    var known: Set<String> = []
    return releases.indices.filter { releases[$0].addressPart.map { known.insert($0).inserted } ?? false }
  }
}

// MARK: The web server's view

extension ServedReleases {
  /// What the container sees of the earlier ones: whatever has an address.
  var mounts: [ContainerService.Mount] {
    let addressed = Self.addressed(releases)
    return releases.enumerated().dropFirst().flatMap { number, release in
      release.parts.filter { $0 == .files || addressed.contains(number) }.map { part in
        .init(
          source: release.place(of: part), place: "\(Self.root(number))/\(part.rawValue)", isOptional: true)
      }
    }
  }

  /// The lines of the web server's configuration: a file that the present bundle lacks comes from the next one that has it,
  /// and each release has an address of its own as well, with its packages and wheels.
  var lines: [String] {
    var lines = [
      "    location ~ ^/files/\(Self.visible) {", "        autoindex on;",
      "        autoindex_exact_size off;",
      "        try_files $uri $uri/ \(releases.count > 1 ? "@release1" : "=404");", "    }",
    ]
    for number in releases.indices.dropFirst() {
      let next = number + 1 < releases.count ? "@release\(number + 1)" : "=404"
      lines += [
        "    location @release\(number) {", "        root \(Self.root(number));",
        "        try_files $uri \(next);", "    }",
      ]
    }
    return lines + Self.addressed(releases).flatMap { Self.lines(of: releases[$0], at: Self.root($0)) }
  }

  /// Hidden files are for nobody.
  private static let visible = #"(?!(.*/)?\.)"#

  /// The folder of the container in which a release lies.
  private static func root(_ number: Int) -> String {
    number == 0 ? "/usr/share/nginx/html" : "/usr/share/nginx/releases/\(number)"
  }

  /// The address of one release. An alias, since the index of a folder is asked for by the whole address again; and links
  /// are looked for below the root, which is not what nginx takes for one beside an alias.
  private static func lines(of release: ServedRelease, at root: String) -> [String] {
    guard let part = release.addressPart else { return [] }
    let address = "^/\(ReleaseAddress.folder)/\(part.replacing(".", with: #"\."#))"
    let names = release.parts.map(\.rawValue).joined(separator: "|")
    let wheels =
      release.parts.contains(.pypi)
      // As for the newest index: one that pypi-mirror has made may lack the files beside its pages.
      ? [
        "    location ~ \(address)(?<released>/pypi/\(visible)[^/]+/(?<wheel>[^/]+))$ {",
        "        root \(root);", "        try_files $released /pypi/files/$wheel =404;", "    }",
      ] : []
    return wheels + [
      "    location ~ \(address)/(?<released>(\(names))(/\(visible).*)?)$ {",
      "        alias \(root)/$released;", "        disable_symlinks on from=\(root);",
      "        autoindex on;", "        autoindex_exact_size off;", "    }",
    ]
  }
}
