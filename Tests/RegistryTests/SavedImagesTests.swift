import Archive
import Bundle
import Files
import Foundation
import Integrity
import SystemPackage
import Testing

@testable import Registry

/// Archives as other programs write them, made here entry by entry.
@Suite struct SavedImagesTests {
  let fixture: SavedFixture

  init() throws { fixture = try SavedFixture() }

  /// What is found: the names, and what is said of the rest.
  func read(
    _ entries: [SavedFixture.Entry], named name: String? = nil, folder: String = "",
    _ compression: ArchiveCompression = .none
  ) throws -> (names: [String], failures: [String], saved: SavedImages) {
    let path = try fixture.write(entries, folder: folder, compression)
    let saved = try SavedImages(path, scratch: fixture.folder.appending("scratch"), named: name)
    // Whatever is found can be read.
    for image in saved.images {
      for blob in image.image.blobs where !blob.isForeign { try saved.blobs.prove(blob) }
    }
    return (saved.images.map { "\($0.image.reference)" }, saved.failures.map { "\($0)" }, saved)
  }

  // MARK: manifest.json

  @Test(
    "Archives with manifest.json: configurations and layers are named in many ways",
    arguments: SavedFixture.Style.allCases)
  func dockerArchives(_ style: SavedFixture.Style) throws {
    let image = try fixture.image("one")
    let found = try read(try fixture.dockerArchive([(image, ["quay.io/acme/app:1"])], style))
    #expect(found.names == ["quay.io/acme/app:1"], "\(found.failures)")
    let layers = try #require(found.saved.images.first).image.contents[0].layers
    #expect(layers.map(\.digest) == (style == .crane ? [image.packed, image.packed2] : image.contents))
    #expect(found.saved.images.first?.remark == nil)
  }

  @Test("Whatever the whole is compressed with, and wherever in it the archive lies")
  func wrapping() throws {
    let image = try fixture.image("one")
    let entries = try fixture.dockerArchive([(image, ["app:1"])], .classic)
    for compression in [ArchiveCompression.none, .gzip(level: 0), .gzip(level: 6), .zstd(), .xz(level: 0)] {
      for folder in ["", "./", "images/app/"] {
        let found = try read(entries, folder: folder, compression)
        #expect(found.names == ["docker.io/library/app:1"], "\(compression) \(folder)")
      }
    }
  }

  @Test("Layers in a compression that no node reads are unpacked", arguments: ["bz2", "xz"])
  func layerCompression(_ kind: String) throws {
    let image = try fixture.image("one")
    var entries = try fixture.dockerArchive([(image, ["app:1"])], .classic)
    let index = try #require(entries.firstIndex { $0.name == "0/layer.tar" })
    entries[index] = .file("0/layer.tar", try fixture.compressed(image.layers[0], kind))
    let found = try read(entries)
    #expect(found.names == ["docker.io/library/app:1"], "\(found.failures)")
    #expect(found.saved.images.first?.image.contents[0].layers.map(\.digest) == image.contents)
  }

  @Test("Images without layers, with null for a list, with empty ones")
  func empty() throws {
    for (rootfs, layers) in [
      (#"{"type":"layers","diff_ids":[]}"#, "null"), (#"{"type":"layers","diff_ids":null}"#, "[]"),
      (#"{"type":"layers"}"#, "null"), ("null", "[]"),
    ] {
      let config = Array(#"{"architecture":"amd64","os":"linux","rootfs":\#(rootfs)}"#.utf8)
      let list = #"[{"Config":"c.json","RepoTags":["app:1"],"Layers":\#(layers)}]"#
      let found = try read([.file("c.json", config), .file("manifest.json", Array(list.utf8))])
      #expect(found.names == ["docker.io/library/app:1"], "\(rootfs) \(layers) \(found.failures)")
    }
  }

  @Test(
    "What disagrees with itself is refused by name, and the others of the archive are taken",
    arguments: [
      "layer is missing", "configuration is missing", "too few layers", "other layer", "other config", "JSON",
    ])
  func disagreement(_ kind: String) throws {
    let (good, bad) = (try fixture.image("good"), try fixture.image("bad"))
    var entries = try fixture.dockerArchive([(bad, ["bad:1"]), (good, ["good:1"])], .crane)
    let layer = try #require(entries.firstIndex { $0.name == "\(bad.packed.hex).tar.gz" })
    let config = try #require(entries.firstIndex { $0.name == "\(bad.config.digest)" })
    let list = try #require(entries.firstIndex { $0.name == "manifest.json" })
    let wanted: String
    switch kind {
    case "layer is missing": (wanted, _) = ("is missing", entries.remove(at: layer))
    case "configuration is missing": (wanted, _) = ("is missing", entries.remove(at: config))
    case "too few layers":
      wanted = "has 1 layer, and the configuration has 2"
      let text = String(decoding: entries[list].bytes, as: UTF8.self)
      entries[list] = .file(
        "manifest.json", Array(text.replacing("\"\(bad.packed.hex).tar.gz\",", with: "").utf8))
    case "other layer":
      wanted = "diff_id"
      entries[layer] = .file(entries[layer].name, try fixture.compressed(good.layers[0], "gz"))
    case "other config":
      wanted = "has digest"
      entries[config] = .file(entries[config].name, good.config.bytes)
    default:
      wanted = "malformed"
      let text = Array("{".utf8)
      entries[config] = .file("c", text)
      let old = String(decoding: entries[list].bytes, as: UTF8.self)
      entries[list] = .file("manifest.json", Array(old.replacing("\(bad.config.digest)", with: "c").utf8))
    }
    let found = try read(entries)
    #expect(found.names == ["docker.io/library/good:1"])
    #expect(found.failures.count == 1, "\(found.failures)")
    #expect(found.failures.allSatisfy { $0.contains("bad:1") && $0.contains(wanted) }, "\(found.failures)")
  }

  @Test("One image without a name: the others are taken, and it can be given one")
  func nameless() throws {
    let (one, two) = (try fixture.image("one"), try fixture.image("two"))
    let entries = try fixture.dockerArchive([(one, ["one:1"]), (two, nil)], .classic)
    let found = try read(entries)
    #expect(found.names == ["docker.io/library/one:1"])
    #expect(found.failures.count == 1 && found.failures[0].contains("does not say what its image sha256:"))
    #expect(
      try read(entries, named: "quay.io/x/two:2").names == ["docker.io/library/one:1", "quay.io/x/two:2"])
    for tags in ["null", "[]", #"["<none>:<none>"]"#] {
      let alone = try fixture.dockerArchive([(one, nil)], .classic).map { entry in
        entry.name != "manifest.json"
          ? entry
          : .file(
            entry.name,
            Array(
              String(decoding: entry.bytes, as: UTF8.self).replacing(
                "\"RepoTags\":null", with: "\"RepoTags\":\(tags)"
              ).utf8))
      }
      #expect(
        try read(alone).failures.map { $0.contains("does not say what its image is called") } == [true],
        "\(tags)")
      #expect(try read(alone, named: "one:1").names == ["docker.io/library/one:1"])
    }
  }

  @Test("A bad name is said, and the image has its other one")
  func badName() throws {
    let found = try read(
      try fixture.dockerArchive([(fixture.image("one"), ["quay.io/A/b:1", "quay.io/a/b:1"])], .classic))
    #expect(found.names == ["quay.io/a/b:1"])
    #expect(found.failures.count == 1 && found.failures[0].contains("lower case"), "\(found.failures)")
  }

  // MARK: index.json

  @Test(
    "Names of an OCI layout",
    arguments: [
      (
        #"{"io.containerd.image.name":"quay.io/a/b:1","org.opencontainers.image.ref.name":"1"}"#, nil,
        "quay.io/a/b:1"
      ),
      (#"{"org.opencontainers.image.ref.name":"quay.io/a/b:2"}"#, nil, "quay.io/a/b:2"),
      (#"{"org.opencontainers.image.ref.name":"b:2"}"#, nil, "docker.io/library/b:2"),
      (#"{"org.opencontainers.image.ref.name":"2"}"#, nil, nil),
      (#"{"org.opencontainers.image.ref.name":"2"}"#, "quay.io/a/b", "quay.io/a/b:2"),
      (#"{"org.opencontainers.image.ref.name":"2"}"#, "quay.io/a/b:3", "quay.io/a/b:3"),
      (
        #"{"io.containerd.image.name":"sha256:0000000000000000000000000000000000000000000000000000000000000000"}"#,
        nil, nil
      ),
      ("null", "quay.io/a/b:3", "quay.io/a/b:3"), ("{}", nil, nil),
    ] as [(String, String?, String?)])
  func layoutNames(_ annotations: String, _ given: String?, _ name: String?) throws {
    let image = try fixture.image("one")
    let found = try read(
      fixture.layout([(image.manifest.descriptor, annotations)], image.blobs), named: given)
    #expect(found.names == [name].compactMap { $0 }, "\(found.failures)")
    #expect(found.failures.count == (name == nil ? 1 : 0))
    #expect(found.saved.images.allSatisfy { $0.image.descriptor.digest == image.manifest.descriptor.digest })
  }

  @Test("Several images, several names of one, in any order of the entries")
  func several() throws {
    let (one, two) = (try fixture.image("one"), try fixture.image("two"))
    let entries = fixture.layout(
      [
        (one.manifest.descriptor, #"{"io.containerd.image.name":"docker.io/library/one:1"}"#),
        (one.manifest.descriptor, #"{"io.containerd.image.name":"docker.io/library/one:latest"}"#),
        (two.manifest.descriptor, #"{"org.opencontainers.image.ref.name":"quay.io/acme/two:2"}"#),
      ], one.blobs + two.blobs)
    for order in [entries, entries.reversed()] {
      let found = try read(order)
      #expect(
        found.names == ["docker.io/library/one:1", "docker.io/library/one:latest", "quay.io/acme/two:2"],
        "\(found.failures)")
    }
  }

  @Test("Names come from manifest.json where index.json has none")
  func repoTags() throws {
    let image = try fixture.image("one")
    let packed = Dictionary(uniqueKeysWithValues: zip(image.contents, image.packedBlobs.map(\.digest)))
    let list = fixture.list([(image, ["quay.io/acme/named:1"])]) { fixture.blobName(packed[$0] ?? $0) }
    let found = try read(
      fixture.layout([(image.manifest.descriptor, "null")], image.blobs) + [.file("manifest.json", list)])
    #expect(found.names == ["quay.io/acme/named:1"], "\(found.failures)")
    #expect(found.saved.images.first?.image.descriptor.digest == image.manifest.descriptor.digest)
  }

  @Test(
    "A manifest without the layers of its configuration: manifest.json is taken, or it is refused by name")
  func missingLayers() throws {
    let image = try fixture.image("one")
    for layers in ["[]", "null"] {
      let bare = try fixture.manifest(of: image, layers: layers)
      let index = fixture.layout(
        [(bare.descriptor, #"{"io.containerd.image.name":"docker.io/library/one:1"}"#)],
        [bare, image.config] + image.plainBlobs)
      let alone = try read(index)
      #expect(alone.names.isEmpty)
      #expect(alone.failures.count == 1 && alone.failures[0].contains("one:1"), "\(alone.failures)")
      let list = fixture.list([(image, ["one:1"])]) { fixture.blobName($0) }
      let both = try read(index + [.file("manifest.json", list)])
      #expect(both.names == ["docker.io/library/one:1"], "\(both.failures)")
      #expect(both.saved.images.first?.image.contents[0].layers.map(\.digest) == image.contents)
      #expect(both.saved.images.first?.remark?.contains("as manifest.json says") == true)
    }
  }

  @Test("index.json and manifest.json that disagree about an image are refused by its name")
  func otherList() throws {
    let (one, two) = (try fixture.image("one"), try fixture.image("two"))
    let list = fixture.list([(two, ["one:1"])]) { fixture.blobName($0) }
    let found = try read(
      fixture.layout(
        [(one.manifest.descriptor, #"{"io.containerd.image.name":"docker.io/library/one:1"}"#)],
        one.blobs + two.blobs + two.plainBlobs) + [.file("manifest.json", list)])
    #expect(found.names.isEmpty)
    #expect(found.failures.count == 1 && found.failures[0].contains("one:1"), "\(found.failures)")
  }

  @Test(
    "Layers that are not those of the configuration are refused, compressed or not", arguments: [true, false])
  func otherLayers(_ isCompressed: Bool) throws {
    let image = try fixture.image("one")
    let other = try fixture.image("two")
    let bad = try fixture.manifest(
      of: image, layers: fixture.descriptors(isCompressed ? other.packedBlobs : other.plainBlobs))
    let found = try read(
      fixture.layout(
        [(bad.descriptor, #"{"io.containerd.image.name":"quay.io/a/one:1"}"#)],
        [bad, image.config] + (isCompressed ? other.packedBlobs : other.plainBlobs)))
    #expect(found.names.isEmpty)
    #expect(found.failures.count == 1 && found.failures[0].contains("diff_id"), "\(found.failures)")
  }

  // MARK: Platforms

  @Test("Platforms that are absent are told, and those that are there are taken")
  func platforms() throws {
    let (amd, arm, s390) = (
      try fixture.image("amd"), try fixture.image("arm", architecture: "arm64"),
      try fixture.image("s390", architecture: "s390x")
    )
    let index = fixture.index([amd.manifest.descriptor, arm.manifest.descriptor, s390.manifest.descriptor])
    let name = #"{"io.containerd.image.name":"quay.io/a/b:1"}"#
    func read(_ blobs: [SavedFixture.Blob]) throws -> SavedImages.Named? {
      let found = try self.read(fixture.layout([(index.descriptor, name)], [index] + blobs))
      #expect(found.failures.isEmpty, "\(found.failures)")
      return found.saved.images.first
    }
    let whole = try #require(try read(amd.blobs + arm.blobs + s390.blobs))
    #expect(whole.image.descriptor.digest == index.descriptor.digest && whole.remark == nil)
    let one = try #require(try read(amd.blobs))
    #expect(one.image.descriptor.digest == amd.manifest.descriptor.digest)
    #expect(
      one.remark?.contains("linux/arm64, linux/s390x is not in the archive") == true, "\(one.remark ?? "")")
    let two = try #require(try read(amd.blobs + arm.blobs + [s390.manifest]))
    #expect(two.image.manifests.map(\.descriptor.digest) == [amd, arm].map(\.manifest.descriptor.digest))
    #expect(two.remark?.contains("linux/s390x") == true)
    #expect(try self.read(fixture.layout([(index.descriptor, name)], [index])).failures.count == 1)
  }

  @Test("Platforms that stand one by one in index.json are one image", arguments: [true, false])
  func platformsOneByOne(_ isNamed: Bool) throws {
    let (amd, arm) = (try fixture.image("amd"), try fixture.image("arm", architecture: "arm64"))
    let name = isNamed ? #"{"io.containerd.image.name":"quay.io/a/b:1"}"# : "null"
    let found = try read(
      fixture.layout(
        [(amd.manifest.descriptor, name), (arm.manifest.descriptor, name)], amd.blobs + arm.blobs,
        withPlatforms: true), named: isNamed ? nil : "quay.io/a/b:1")
    #expect(found.names == ["quay.io/a/b:1"], "\(found.failures)")
    #expect(found.saved.images.first?.image.manifests.count == 2)
  }

  @Test("Attestations of buildx stay with the image, or are said to be gone", arguments: [true, false])
  func attestations(_ isThere: Bool) throws {
    let (image, about) = (try fixture.image("one"), try fixture.attestation("two"))
    let index = fixture.index([image.manifest.descriptor, about.manifest.descriptor])
    let found = try read(
      fixture.layout(
        [(index.descriptor, #"{"io.containerd.image.name":"quay.io/a/b:1"}"#)],
        [index] + image.blobs + (isThere ? about.blobs : [])))
    let only = try #require(found.saved.images.first)
    #expect(only.image.descriptor.digest == (isThere ? index : image.manifest).descriptor.digest)
    #expect((only.remark?.contains("attestations") ?? false) == !isThere)
  }

  @Test("Signatures beside an image go with it")
  func signatures() throws {
    let (image, signature) = (try fixture.image("one"), try fixture.attestation("sig"))
    let digest = image.manifest.descriptor.digest
    let tag = "sha256-\(digest.hex).sig"
    for (name, about) in [
      ("io.containerd.image.name", #"{"org.opencontainers.image.ref.name":"\#(tag)"}"#),
      ("io.containerd.image.name", #"{"io.containerd.image.name":"quay.io/a/b:\#(tag)"}"#),
      (
        "org.opencontainers.image.ref.name",
        #"{"kind":"dev.cosignproject.cosign/sigs","org.opencontainers.image.ref.name":"quay.io/a/b:1"}"#
      ),
    ] {
      let found = try read(
        fixture.layout(
          [
            (signature.manifest.descriptor, about),
            (image.manifest.descriptor, #"{"\#(name)":"quay.io/a/b:1"}"#),
          ],
          image.blobs + signature.blobs))
      #expect(found.names == ["quay.io/a/b:1"], "\(found.failures)")
      #expect(found.saved.images.first?.image.attached.map(\.tag) == [tag], "\(about)")
    }
  }
}
