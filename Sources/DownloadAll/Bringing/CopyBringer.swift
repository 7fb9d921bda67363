import Bundle
import Concurrency
import Console
import Files
import Integrity
import SystemPackage

/// Copies what lies on this machine.
struct CopyBringer: Bringer {
  let record: BundleRecord
  let emit: @Sendable (ConsoleEvent) -> Void

  func brings(_ source: Artifact.Source) -> Bool { Self.path(of: source) != nil }

  func inquire(about artifacts: [Artifact], asksHosts: Bool) async -> Inquiry {
    var inquiry = Inquiry()
    for artifact in artifacts {
      let size = Self.path(of: artifact.source).flatMap { FileInfo(regularFile: $0)?.size }
      inquiry.expect(artifact, bytes: size)
    }
    return inquiry
  }

  func bring(
    _ artifacts: [Artifact], _ inquiry: Inquiry, note: (Artifact, Result<FetchedFile, any Error>) -> Void
  ) async throws {
    await forEachConcurrently(artifacts, limit: 4) { artifact in
      await Result { try await copy(artifact) }
    } onResult: { artifact, result in
      note(artifact, result)
    }
  }

  private static func path(of source: Artifact.Source) -> FilePath? {
    switch source {
    case .local(let path, _), .assembledImage(let path, _): path
    case .url, .generated, .image: nil
    }
  }

  private func copy(_ artifact: Artifact) async throws -> FetchedFile {
    guard let path = Self.path(of: artifact.source) else { throw Errno.invalidArgument }
    let place = record.place(artifact)
    do {
      try createDirectories(place.removingLastComponent())
      let (size, sha256) = try await offload { () throws in
        try copyDurably(path, to: place, expecting: artifact.digest)
      }
      emit(.bytes(artifact.stage.rawValue, size))
      let noted = record.note(artifact, size: size, sha256: sha256)
      guard artifact.assembledImage != nil else { return noted }
      let image = await PresentFiles.image(in: place)
      return FetchedFile(
        file: artifact.manifestFile(size: size, sha256: sha256, image: image), transferred: 0)
    } catch let error as FileError {
      throw LocalFileUnusable(path: path, place: place, reason: error.code)
    }
  }
}

/// A local source that cannot be copied into the bundle.
struct LocalFileUnusable: Error, CustomStringConvertible {
  let path: FilePath
  let place: FilePath
  let reason: Errno

  var description: String {
    "\(path) cannot be copied to \(place): \(reason)"
  }
}
