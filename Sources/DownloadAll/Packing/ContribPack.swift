import Archive
import Bundle
import Concurrency
import Console
import Files
import Host
import Integrity
import Registry
import Settings
import Synchronization
import SystemPackage

/// Makes of a finished bundle the two archives of kubespray's `contrib/offline`: `container-images.tar.gz`, which
/// `manage-offline-container-images.sh register` takes, and `offline-files.tar.gz`, as `manage-offline-files.sh` makes it.
///
/// They are streamed: nothing is unpacked on the disk. The same bundle gives the same bytes.
public struct ContribPack: Sendable {
  /// An archive that was made.
  public struct Packed: Sendable, Encodable {
    /// Where it is.
    public let path: String
    /// Its size in bytes.
    public let size: Int64
    /// Its digest.
    public let sha256: Digest
    /// How many images or files it holds.
    public let items: Int
  }

  static let imageArchive = "container-images.tar.gz"
  static let fileArchive = "offline-files.tar.gz"

  /// An image on its way.
  private struct Image: Sendable {
    let names: ContribNames.Names
    let tar: ImageTar
    let isListed: Bool
  }

  /// A file on its way.
  private struct File: Sendable {
    let name: String
    let file: ManifestFile
  }

  private let stage = "pack"
  private let outputs: FilePath
  private let folder: FilePath
  private let emit: @Sendable (ConsoleEvent) -> Void
  private let images: [Image]
  private let files: [File]

  /// Looks at the bundle; nothing is written yet.
  ///
  /// - Parameters:
  ///   - configuration: The settings that name the bundle, and the registries that its images lose in their names.
  ///   - folder: Where the archives go, outside the bundle.
  ///   - emit: Hears of the stage `pack`, from here on.
  /// - Throws: ``UnfinishedBundle``, `ManifestError`, ``PackError``; `ImageArchiveError` and others for an archive that
  ///   cannot be read.
  public init(
    _ configuration: Configuration, to folder: FilePath, emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) throws {
    outputs = configuration.outputs
    self.folder = folder
    self.emit = emit
    guard let manifest = try Manifest.load(from: outputs) else { throw UnfinishedBundle(outputs: outputs) }
    try Self.refuse(folder, within: outputs)
    images = try Self.images(
      manifest, outputs, configuration.registry.stripped, emit)
    files = try Self.files(manifest)
    guard !images.isEmpty || !files.isEmpty else {
      throw PackError.nothingToPack(outputs)
    }
  }

  private static func refuse(_ folder: FilePath, within outputs: FilePath) throws {
    guard let inner = try? realPath(folder), let outer = try? realPath(outputs) else { return }
    guard !inner.starts(with: outer) else {
      throw PackError.insideBundle(folder)
    }
  }

  private static func images(
    _ manifest: Manifest, _ outputs: FilePath, _ stripped: Set<String>,
    _ emit: (ConsoleEvent) -> Void
  ) throws -> [Image] {
    let listed = manifest.files.compactMap { file in file.image.map { (file, $0) } }
    var names = ContribNames(listed.map(\.1.reference), strippedRegistries: stripped)
    var images: [Image] = []
    func warn(_ text: String) { emit(.message(.warning, text, stage: "pack")) }
    for (file, image) in listed {
      let tar = try ImageTar(outputs.appending(file.path.description))
      let own = try names.names(of: image)
      images.append(Image(names: own, tar: tar, isListed: true))
      if image.platforms.count > 1 {
        warn(
          "\(image.reference) has \(image.platforms.count) platforms; the script pushes that of its machine only"
        )
      }
      if image.reference.digest != nil {
        warn(
          "\(image.reference): the script does not keep digests; in the registry it will be \(own.name). "
            + "target-setup load-push keeps them")
      }
    }
    let registry = listed.last {
      $0.1.reference.registry == ImageReference.defaultRegistry
        && $0.1.reference.repository == "library/registry"
    }
    if let registry {
      let latest = try ImageReference("registry:latest")
      images.append(
        Image(
          names: .init(file: ContribNames.registryFile, name: "registry:latest"),
          tar: try ImageTar(outputs.appending(registry.0.path.description), named: latest), isListed: false))
    } else if !images.isEmpty {
      warn(
        "the bundle has no image of a registry, so register needs DESTINATION_REGISTRY")
    }
    return images
  }

  private static func files(_ manifest: Manifest) throws -> [File] {
    try manifest.files.compactMap { file in
      guard file.stage == .files, let url = file.url else { return nil }
      guard let place = WgetPlace(url) else {
        throw PackError.namelessFile("\(file.path)", url: url)
      }
      return File(name: "offline-files/\(place)", file: file)
    }
    .sorted { $0.name < $1.name }
  }

  /// Writes the archives, each beside its name until it is complete.
  ///
  /// - Throws: ``PackError`` when the disk is too small; `Errno`, `ArchiveError`, `ImageArchiveError`, or
  ///   `CancellationError`. What was there under the name of an archive that fails stays.
  public func run() async throws -> [Packed] {
    let stop = StopSign()
    return try await withTaskCancellationHandler {
      try await offload { () throws in try run(stop) }
    } onCancel: {
      stop.raise()
    }
  }

  /// The thread that packs belongs to no task, which could be asked.
  private final class StopSign: Sendable {
    private let isRaised = Mutex(false)

    func raise() { isRaised.withLock { $0 = true } }

    func check() throws {
      if isRaised.withLock(\.self) { throw CancellationError() }
    }
  }

  private func run(_ stop: StopSign) throws -> [Packed] {
    let imageBytes = images.byteSum(of: \.tar.size)
    let fileBytes = files.byteSum(of: \.file.size)
    do {
      try createDirectories(folder)
    } catch {
      throw PackError.unusableFolder(folder, reason: "\(FileError.reason(error))")
    }
    try checkSpace(ByteSize.sum(imageBytes, fileBytes))
    emit(.stageStarted(stage))
    emit(.stageTotals(stage, items: images.count + files.count, bytes: ByteSize.sum(imageBytes, fileBytes)))
    var packed: [Packed] = []
    if !images.isEmpty { packed.append(try packImages(stop)) }
    if !files.isEmpty { packed.append(try packFiles(stop)) }
    emit(.stageFinished(stage, .done, summary: "\(images.count + files.count) packed"))
    return packed
  }

  private func checkSpace(_ bytes: Int64) throws {
    // Headers, and what gzip adds to bytes that it cannot make fewer.
    let needed = ByteSize.sum(
      bytes, bytes / 1000, Int64(images.count + files.count) * 2048, SpaceReservations.reserve)
    let available = try FileSystemSpace.at(folder).availableBytes
    guard needed <= available else {
      throw PackError.notEnoughSpace(folder, needed: needed, available: available)
    }
  }

  private func packImages(_ stop: StopSign) throws -> Packed {
    let path = folder.appending(Self.imageArchive)
    // The layers are compressed already.
    let writer = try ArchiveWriter(path, compression: .gzip(level: 0))
    let root = "container-images"
    try writer.add(directory: root)
    let lines = images.filter(\.isListed).map { "\($0.names.file)  \($0.names.name)\n" }
    try writer.add(bytes: Array(lines.joined().utf8), as: "\(root)/\(ContribNames.list)")
    for image in images {
      try writer.add(streamed: "\(root)/\(image.names.file)", size: image.tar.size) { write in
        try image.tar.write { piece in
          try stop.check()
          try write(piece)
          emit(.bytes(stage, Int64(piece.count)))
        }
      }
      emit(.itemFinished(stage, item: image.names.file, .done, bytes: image.tar.size))
    }
    let (size, digest) = try writer.finish()
    return Packed(path: path.string, size: size, sha256: digest, items: lines.count)
  }

  private func packFiles(_ stop: StopSign) throws -> Packed {
    let path = folder.appending(Self.fileArchive)
    // Programs become a third smaller at the fastest level already; the rest is compressed.
    let writer = try ArchiveWriter(path, compression: .gzip(level: 1))
    for item in files {
      try stop.check()
      let source = outputs.appending(item.file.path.description)
      try writer.add(file: source, as: item.name, size: item.file.size, digest: item.file.sha256)
      emit(.bytes(stage, item.file.size))
      emit(.itemFinished(stage, item: item.name, .done, bytes: item.file.size))
    }
    let (size, digest) = try writer.finish()
    return Packed(path: path.string, size: size, sha256: digest, items: files.count)
  }
}

/// Why a bundle cannot be packed.
public enum PackError: Error, CustomStringConvertible {
  /// The bundle has neither images nor files.
  case nothingToPack(FilePath)
  /// The folder lies in the bundle.
  case insideBundle(FilePath)
  /// The URL of a file gives no name for it.
  case namelessFile(String, url: String)
  /// The folder cannot be made.
  case unusableFolder(FilePath, reason: String)
  /// The disk is too small, in bytes.
  case notEnoughSpace(FilePath, needed: Int64, available: Int64)

  /// What went wrong.
  public var description: String {
    switch self {
    case .nothingToPack(let outputs): "\(outputs) has neither images nor files"
    case .insideBundle(let folder): "\(folder) lies in the bundle, which has nothing but its own files"
    case .namelessFile(let path, let url): "\(path) comes from \(url), which gives no name for a file"
    case .unusableFolder(let folder, let reason): "\(folder) cannot be made: \(reason)"
    case .notEnoughSpace(let folder, let needed, let available):
      "not enough space for \(folder): up to \(ByteCount.format(needed)) are needed and "
        + "\(ByteCount.format(available)) are free"
    }
  }
}
