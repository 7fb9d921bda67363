import Bundle
import Files
import FoundationEssentials
import Integrity
import SystemPackage

@testable import Archive
@testable import Registry

/// Readers of archives, and of archives with images.
let archiveReaders = [
  Reader(file: "archive") { file in
    let folder = file.removingLastComponent().appending("extracted")
    let limits = ExtractionLimits(totalBytes: 16 << 20, entries: 1000)
    try? ArchiveReader.extract(file, into: folder, limits: limits)
    try walkFolder(file.removingLastComponent()) { entry in
      try hold(entry.info.kind != .other, "no device and no pipe is made: \(entry.name)")
    }
  },
  Reader(file: "compressed") { file in
    var count = 0
    try? ArchiveReader.decompress(file) { piece in
      count += piece.count
      // Who reads decides when it is enough.
      if count > 16 << 20 { throw CancellationError() }
    }
  },
  Reader(file: "tar-index") { file in
    let content = try RandomAccessFile(file)
    for stream in [try? StoredStream(content), StoredStream(plain: content)] {
      guard let stream, let index = try? TarIndex(stream) else { continue }
      for (name, entry) in index.files {
        try hold(ByteSize.range.contains(entry.size), "the size of \(name) is possible")
      }
    }
  },
  Reader(file: "image-archive") { file in
    let content = try readBytes(file)
    // Whoever changes bytes at random changes a checksum of the tar, and nothing else of it is looked at. So a text is put
    // into one: a line is index.json, each other one a blob under its digest.
    if content.first == UInt8(ascii: "{") { try writeLayout(of: content, to: file) }
    try readImage(file)
  },
  Reader(file: "attached-list") { file in
    // What is about an image: a line is attached.json, each other one a manifest or a part of one.
    try writeAttached(of: try readBytes(file), to: file)
    guard let image = try? ImageArchiveReader.summary(of: file) else { return }
    for attached in image.attached {
      try hold(
        attached.tag.map(AttachedManifest.isTag) ?? true, "no tag of an image leads to what is about one")
      try hold(
        !image.manifests.contains { $0.descriptor.digest == attached.manifest.descriptor.digest },
        "what is about an image is not the image")
      for blob in attached.blobs {
        try hold(ByteSize.range.contains(blob.size), "the size of \(blob.digest) is possible")
      }
    }
    _ = try? ImageArchiveReader.verify(file)
  },
  Reader(file: "docker-archive") { file in
    let content = try readBytes(file)
    if content.first == UInt8(ascii: "[") { try writeDockerArchive(of: content, to: file) }
    let scratch = file.removingLastComponent().appending("scratch")
    defer { try? removeTree(scratch) }
    guard let saved = try? SavedImages(file, scratch: scratch) else { return }
    for image in saved.images {
      for blob in image.image.blobs where (try? saved.blobs.file(blob)) == nil {
        try hold(image.image.attached.flatMap(\.blobs).contains(blob), "every blob has its entry")
      }
    }
    _ = try? ImageArchiveReader.verifyNames(file)
  },
  Reader(file: "image-collection") { file in
    let content = try readBytes(file)
    if !content.starts(with: [0x1f, 0x8b]) { try write([(ImageCollection.list, content)], to: file) }
    guard let collection = try? ImageCollection(file) else { return }
    for (file, names) in collection.names {
      try hold(FilePath(file).components.count == 1, "a file of a collection is a name: \(file)")
      try hold(!names.isEmpty, "a file of a collection has a name in the registry: \(file)")
    }
  },
]

private func readImage(_ file: FilePath) throws {
  guard let image = try? ImageArchiveReader.summary(of: file) else { return }
  for blob in image.blobs {
    try hold(ByteSize.range.contains(blob.size), "the size of \(blob.digest) is possible")
  }
  _ = try? ImageArchiveReader.verify(file)
  guard let tar = try? ImageTar(file) else { return }
  var count: Int64 = 0
  guard (try? tar.write { count += Int64($0.count) }) != nil else { return }
  try hold(count == tar.size, "a tar is as long as it was told to be")
}

private func lines(_ bytes: [UInt8]) -> [[UInt8]] {
  bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
}

private func write(_ entries: [(name: String, content: [UInt8])], to file: FilePath) throws {
  let writer = try ArchiveWriter(file, compression: .none)
  var names: Set<String> = []
  for entry in entries where names.insert(entry.name).inserted {
    try writer.add(bytes: entry.content, as: entry.name)
  }
  _ = try writer.finish()
}

private func writeLayout(of bytes: [UInt8], to file: FilePath) throws {
  let all = lines(bytes)
  let marker = (name: ImageLayout.markerFile, content: ImageLayout.marker)
  let blobs = all.dropFirst().map { (name: ImageLayout.blobPath(Digest(of: $0)), content: $0) }
  try write([marker, (name: ImageLayout.indexFile, content: all[0])] + blobs, to: file)
}

/// An image of nothing, with a text as the list of what is about it.
private func writeAttached(of bytes: [UInt8], to file: FilePath) throws {
  let all = lines(bytes)
  let system = Array(#"{"architecture":"amd64","os":"linux"}"#.utf8)
  let configuration = Descriptor(of: system, mediaType: .ociConfig)
  let manifest = ImageLayout.encode(
    ImageManifest(
      schemaVersion: 2, mediaType: .ociManifest, config: configuration, layers: [], artifactType: nil))
  var descriptor = Descriptor(of: manifest, mediaType: .ociManifest)
  descriptor.annotations = [ImageLayout.nameAnnotation: "docker.io/team/app:1"]
  let index = ImageLayout.encode(ImageIndex(schemaVersion: 2, mediaType: .ociIndex, manifests: [descriptor]))
  let blobs = ([manifest] + all.dropFirst() + [system]).map {
    (name: ImageLayout.blobPath(Digest(of: $0)), content: $0)
  }
  let files = [
    (name: ImageLayout.markerFile, content: ImageLayout.marker),
    (name: ImageLayout.indexFile, content: index),
    (name: ImageLayout.attachedFile, content: all.first ?? []),
  ]
  try write(files + blobs, to: file)
}

/// A line is manifest.json, the next ones are `c.json` and `d.json`, each other one is a layer: `0`, `1`, ...
private func writeDockerArchive(of bytes: [UInt8], to file: FilePath) throws {
  let all = lines(bytes)
  let names = [ImageLayout.dockerFile, "c.json", "d.json"] + (0..<all.count).map { "\($0)" }
  try write(zip(names, all).map { (name: $0, content: $1) }, to: file)
}
