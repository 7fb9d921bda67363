import Bundle
import Files
import Integrity
import SystemPackage

/// Writes what this program makes up itself.
struct GeneratedBringer: Bringer {
  let record: BundleRecord

  func brings(_ source: Artifact.Source) -> Bool {
    if case .generated = source { true } else { false }
  }

  func inquire(about artifacts: [Artifact], asksHosts: Bool) async -> Inquiry {
    var inquiry = Inquiry()
    for artifact in artifacts {
      guard case .generated(let bytes) = artifact.source else { continue }
      inquiry.expect(artifact, bytes: Int64(bytes.count))
    }
    return inquiry
  }

  func bring(
    _ artifacts: [Artifact], _ inquiry: Inquiry, note: (Artifact, Result<FetchedFile, any Error>) -> Void
  ) async throws {
    for artifact in artifacts { note(artifact, Result(catching: { try write(artifact) })) }
  }

  private func write(_ artifact: Artifact) throws -> FetchedFile {
    guard case .generated(let bytes) = artifact.source else { throw Errno.invalidArgument }
    let place = record.place(artifact)
    try createDirectories(place.removingLastComponent())
    try writeAtomically(bytes, to: place)
    return record.note(artifact, size: Int64(bytes.count), sha256: Digest(of: bytes))
  }
}
