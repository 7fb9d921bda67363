import Archive
import Bundle
import Files
import Foundation
import Integrity
import SystemPackage

@testable import Registry

/// Images of real layers, and the archives that programs make of them.
final class SavedFixture {
  struct Blob {
    let bytes: [UInt8]
    let descriptor: Descriptor

    init(_ bytes: [UInt8], _ type: MediaType, platform: Platform? = nil, annotations: [String: String]? = nil)
    {
      self.bytes = bytes
      var descriptor = Descriptor(of: bytes, mediaType: type, platform: platform)
      descriptor.annotations = annotations
      self.descriptor = descriptor
    }

    var digest: Digest { descriptor.digest }
  }

  struct Image {
    /// The layers as tars.
    let layers: [[UInt8]]
    let config: Blob
    let packedBlobs: [Blob]
    let manifest: Blob

    var contents: [Digest] { layers.map { Digest(of: $0) } }
    var plainBlobs: [Blob] { layers.map { Blob($0, .ociLayer) } }
    var packed: Digest { packedBlobs[0].digest }
    var packed2: Digest { packedBlobs[1].digest }
    /// All of an OCI image.
    var blobs: [Blob] { [manifest, config] + packedBlobs }
  }

  /// An entry of an archive.
  struct Entry {
    let name: String
    let bytes: [UInt8]
    var target: String?
    var isHard = false

    static func file(_ name: String, _ bytes: [UInt8]) -> Entry { Entry(name: name, bytes: bytes) }
    static func link(_ name: String, to target: String, isHard: Bool = false) -> Entry {
      Entry(name: name, bytes: [], target: target, isHard: isHard)
    }
  }

  /// How programs name configurations and layers.
  enum Style: CaseIterable { case classic, podman, crane, blobs, hardLinks, late }

  let folder: FilePath
  private var count = 0

  init() throws { folder = try createTemporaryFolder(named: "saved-images-tests") }

  deinit { try? removeTree(folder) }

  // MARK: Images

  private func tar(_ text: String) throws -> [UInt8] {
    let path = folder.appending("layer")
    let writer = try ArchiveWriter(path, compression: .none)
    try writer.add(bytes: Array(text.utf8), as: "file-\(text)")
    try writer.finish()
    return try readBytes(path)
  }

  /// Bytes as a program of the system packs them.
  func compressed(_ bytes: [UInt8], _ kind: String) throws -> [UInt8] {
    let path = folder.appending("packing")
    try writeAtomically(bytes, to: path, isDurable: false)
    let program = ["gz": "gzip", "bz2": "bzip2", "xz": "xz"][kind] ?? kind
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program, "-c"] + (kind == "gz" ? ["-n"] : []) + [path.string]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let packed = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Array(packed)
  }

  func image(_ text: String, architecture: String = "amd64") throws -> Image {
    let layers = [try tar("\(text)-1"), try tar("\(text)-2")]
    let ids = layers.map { "\"\(Digest(of: $0))\"" }.joined(separator: ",")
    let config = Blob(
      Array(
        #"{"architecture":"\#(architecture)","os":"linux","rootfs":{"type":"layers","diff_ids":[\#(ids)]}}"#
          .utf8),
      .ociConfig)
    let packed = try layers.map { Blob(try compressed($0, "gz"), .ociLayerGzip) }
    return Image(
      layers: layers, config: config, packedBlobs: packed,
      manifest: manifest(config, packed, Platform(architecture: architecture)))
  }

  /// What BuildKit puts beside an image, which also serves as a signature.
  func attestation(_ text: String) throws -> Image {
    let statement = Blob(Array("{\"\(text)\":1}".utf8), MediaType(rawValue: "application/vnd.in-toto+json"))
    let config = Blob(
      Array(
        #"{"architecture":"unknown","os":"unknown","rootfs":{"type":"layers","diff_ids":["\#(statement.digest)"]}}"#
          .utf8),
      .ociConfig)
    let document = manifest(
      config, [statement], Platform(os: "unknown", architecture: "unknown"),
      ["vnd.docker.reference.type": "attestation-manifest"])
    return Image(layers: [], config: config, packedBlobs: [statement], manifest: document)
  }

  private func manifest(
    _ config: Blob, _ layers: [Blob], _ platform: Platform, _ annotations: [String: String]? = nil
  ) -> Blob {
    let content = ImageManifest(
      schemaVersion: 2, mediaType: .ociManifest, config: config.descriptor, layers: layers.map(\.descriptor),
      artifactType: nil)
    return Blob(ImageLayout.encode(content), .ociManifest, platform: platform, annotations: annotations)
  }

  /// A manifest whose list of layers is this text.
  func manifest(of image: Image, layers: String) throws -> Blob {
    let config = String(decoding: ImageLayout.encode(image.config.descriptor), as: UTF8.self)
    return Blob(
      Array(
        #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":\#(config),"layers":\#(layers)}"#
          .utf8), .ociManifest)
  }

  func descriptors(_ blobs: [Blob]) -> String {
    String(decoding: ImageLayout.encode(blobs.map(\.descriptor)), as: UTF8.self)
  }

  func index(_ manifests: [Descriptor]) -> Blob {
    Blob(
      ImageLayout.encode(ImageIndex(schemaVersion: 2, mediaType: .ociIndex, manifests: manifests)), .ociIndex)
  }

  // MARK: Archives

  func blobName(_ digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

  /// An OCI layout, the blobs first, as docker writes it.
  func layout(
    _ top: [(descriptor: Descriptor, annotations: String)], _ blobs: [Blob], withPlatforms: Bool = false
  ) -> [Entry] {
    let items = top.map { descriptor, annotations in
      let platform =
        withPlatforms
        ? #","platform":{"os":"linux","architecture":"\#(descriptor.platform?.architecture ?? "")"}"# : ""
      return
        #"{"mediaType":"\#(descriptor.mediaType)","digest":"\#(descriptor.digest)","size":\#(descriptor.size)\#(platform),"annotations":\#(annotations)}"#
    }
    let index = #"{"schemaVersion":2,"manifests":[\#(items.joined(separator: ","))]}"#
    var seen: Set<Digest> = []
    return blobs.filter { seen.insert($0.digest).inserted }.map { .file(blobName($0.digest), $0.bytes) }
      + [.file("index.json", Array(index.utf8)), .file("oci-layout", ImageLayout.marker)]
  }

  /// manifest.json, with names of layers that are made of the digests of their contents.
  func list(_ images: [(Image, [String]?)], _ name: (Digest) -> String) -> [UInt8] {
    let items = images.map { image, tags in
      let layers = image.contents.map { "\"\(name($0))\"" }.joined(separator: ",")
      return
        #"{"Config":"\#(name(image.config.digest))","RepoTags":\#(Self.json(tags)),"Layers":[\#(layers)]}"#
    }
    return Array("[\(items.joined(separator: ","))]".utf8)
  }

  private static func json(_ tags: [String]?) -> String {
    tags.map { "[\($0.map { "\"\($0)\"" }.joined(separator: ","))]" } ?? "null"
  }

  /// A docker-archive.
  func dockerArchive(_ images: [(Image, [String]?)], _ style: Style) throws -> [Entry] {
    var entries: [Entry] = []
    var items: [String] = []
    for (number, (image, tags)) in images.enumerated() {
      let config =
        switch style {
        case .classic, .hardLinks, .podman, .late: "\(image.config.digest.hex).json"
        case .crane: "\(image.config.digest)"
        case .blobs: blobName(image.config.digest)
        }
      entries.append(.file(config, image.config.bytes))
      var names: [String] = []
      for (index, layer) in image.layers.enumerated() {
        let folder = "\(number * 2 + index)"
        switch style {
        case .classic, .late:
          entries += [
            .file("\(folder)/VERSION", Array("1.0".utf8)), .file("\(folder)/json", Array("{}".utf8)),
          ]
          entries.append(.file("\(folder)/layer.tar", layer))
          names.append("\(folder)/layer.tar")
        case .podman:
          let file = "\(Digest(of: layer).hex).tar"
          entries += [.file(file, layer), .link("\(folder)/layer.tar", to: "../\(file)")]
          names.append("\(folder)/layer.tar")
        case .hardLinks:
          entries += [
            .file("shared/\(folder)", layer),
            .link("\(folder)/layer.tar", to: "shared/\(folder)", isHard: true),
          ]
          names.append("\(folder)/layer.tar")
        case .crane:
          let packed = image.packedBlobs[index]
          entries.append(.file("\(packed.digest.hex).tar.gz", packed.bytes))
          names.append("\(packed.digest.hex).tar.gz")
        case .blobs:
          entries.append(.file(blobName(Digest(of: layer)), layer))
          names.append(blobName(Digest(of: layer)))
        }
      }
      let layers = names.map { "\"\($0)\"" }.joined(separator: ",")
      items.append(#"{"Config":"\#(config)","RepoTags":\#(Self.json(tags)),"Layers":[\#(layers)]}"#)
    }
    let list = Entry.file("manifest.json", Array("[\(items.joined(separator: ","))]".utf8))
    var seen: Set<String> = []
    entries = entries.filter { seen.insert($0.name).inserted }
    return style == .late ? [list] + entries : entries + [list]
  }

  func write(
    _ entries: [Entry], folder prefix: String = "", _ compression: ArchiveCompression = .none
  ) throws -> FilePath {
    count += 1
    let path = folder.appending("archive-\(count).tar")
    guard prefix != "./", !entries.contains(where: \.isHard) else {
      try writeByTar(entries, to: path, isCompressed: compression != .none)
      return path
    }
    let writer = try ArchiveWriter(path, compression: compression)
    for entry in entries {
      if let target = entry.target {
        try writer.add(symlink: prefix + entry.name, target: target)
      } else {
        try writer.add(bytes: entry.bytes, as: prefix + entry.name)
      }
    }
    try writer.finish()
    return path
  }

  /// What our writer does not write: names that begin with `./`, and hard links.
  private func writeByTar(_ entries: [Entry], to path: FilePath, isCompressed: Bool) throws {
    let root = folder.appending("tree-\(count)")
    for entry in entries {
      let file = root.appending(FilePath(entry.name).components)
      try createDirectories(file.removingLastComponent())
      if let target = entry.target {
        let source = root.appending(FilePath(target).components)
        try FileManager.default.linkItem(atPath: source.string, toPath: file.string)
      } else {
        try writeAtomically(entry.bytes, to: file, isDurable: false)
      }
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["tar", "-C", root.string, isCompressed ? "-czf" : "-cf", path.string] + entries.map { "./\($0.name)" }
    try process.run()
    process.waitUntilExit()
  }
}
