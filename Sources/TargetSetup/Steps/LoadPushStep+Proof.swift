import Bundle
import Concurrency
import Console
import Files
import Host
import Integrity
import Registry
import Settings
import SystemPackage

/// The proof of the archives: nothing of a bundle of which one is damaged can be pulled from the registry.
extension LoadPushStep {
  /// The proof of an archive; `nil` when nothing is to be proved.
  func proof(_ context: SetupContext) -> ArchiveProof? {
    guard isToBeProved(context) else { return nil }
    let bundle = context.bundle
    return { archive, goOn in try bundle.read(self.path(of: archive, context)) { _ in try goOn() } }
  }

  /// Whether the manifest says how the archives must be, and this run has not verified the bundle.
  private func isToBeProved(_ context: SetupContext) -> Bool {
    context.bundle.manifest != nil && !context.isVerified
  }

  /// What the bundle calls an archive.
  func path(of archive: FilePath, _ context: SetupContext) -> String {
    var rest = archive
    return rest.removePrefix(context.bundle.folder) ? rest.string : archive.string
  }

  /// The archives whose images the bundle's own registry does not serve.
  private func lacking(_ names: [String], _ context: SetupContext) async throws -> [String] {
    let (files, images) = try carriedImages(context)
    let served = Set(files).subtracting(try await missing(images, context).map { files[$0] })
    return names.filter { !served.contains($0) }
  }

  /// The images that the manifest names, under their names in the bundle's own registry, and the archive of each.
  func carriedImages(
    _ context: SetupContext
  ) throws -> (files: [String], images: [(reference: ImageReference, digest: Digest)]) {
    let target = try PushTarget(context.addresses.localRegistryHost)
    var files: [String] = []
    var images: [(reference: ImageReference, digest: Digest)] = []
    for file in context.bundle.manifest?.files ?? [] {
      guard let image = file.image,
        let name = try? target.reference(
          of: image.reference, strippedRegistries: context.configuration.registry.stripped)
      else { continue }
      files.append(file.path.description)
      images.append((name, image.digest))
    }
    return (files, images)
  }

  /// Reads all of the archives whose images are to be placed. What is placed of them is proved piece by piece, but nobody
  /// reads what lies between, and the images before a damaged one would be in the registry.
  ///
  /// - Throws: Problems, one for each archive that is not as the manifest says.
  func prove(_ all: [String], _ context: SetupContext) async throws {
    guard isToBeProved(context) else { return }
    let names = try await lacking(all, context)
    guard !names.isEmpty else { return }
    let bytes = ByteCount.format(names.byteSum { context.bundle.size($0) })
    context.say(.info, "the archives are read before the first image is placed: \(bytes)", step: name)
    var failures: [Problem] = []
    // Large ones first, so that all readers end together.
    let order = names.sorted { context.bundle.size($0) > context.bundle.size($1) }
    await forEachConcurrently(order, limit: BundleVerifier.readers) { path in
      await offload { Result { try context.bundle.read(path) { _ in try Task.checkCancellation() } } }
    } onResult: { path, result in
      if case .failure(let error) = result { failures.append(Problem(error, about: path)) }
    }
    try Task.checkCancellation()
    guard failures.isEmpty else { throw Problems(failures.sorted { $0.subject < $1.subject }) }
  }
}
