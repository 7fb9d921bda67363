import Bundle
import Integrity
import Registry
import SystemPackage

/// What became of the image archives of a bundle without a manifest: which names and digests they have in the registry
/// is known once they were pushed, and is written down in the journal for the next time.
enum PushedArchives {
  /// Writes down what was pushed, or was there already.
  ///
  /// - Throws: ``StepError``.
  static func note(_ results: [PushResult], _ bundle: ArrivedBundle, _ journal: Journal) throws(StepError) {
    for result in results where result.failure == nil {
      guard let name = result.archive.lastComponent?.string, let destination = result.destination,
        let digest = result.digest
      else { continue }
      try journal.note(.archive, "\(bundle.fingerprint("images/\(name)"))\t\(destination)\t\(digest)")
    }
  }

  /// The images of an archive, by their names in the registry; empty when it was not pushed as it is now.
  static func images(
    of archive: String, _ bundle: ArrivedBundle, _ journal: Journal
  ) -> [(reference: ImageReference, digest: Digest)] {
    let fingerprint = bundle.fingerprint(archive)
    return notes(journal).filter { $0.fingerprint == fingerprint }.map { ($0.reference, $0.digest) }
  }

  /// What was pushed, or was there already, by its name in the registry.
  static func stored(_ results: [PushResult]) -> [StoredImage] {
    results.compactMap { result in
      guard result.failure == nil, let digest = result.digest,
        let name = result.destination.flatMap({ try? ImageReference($0) })
      else { return nil }
      return StoredImage(repository: name.repository, tag: name.tag, digest: digest)
    }
  }

  /// The repositories that were pushed to.
  static func repositories(_ journal: Journal) -> Set<String> {
    Set(notes(journal).map(\.reference.repository))
  }

  private static func notes(
    _ journal: Journal
  ) -> [(fingerprint: String, reference: ImageReference, digest: Digest)] {
    journal.notes(.archive).compactMap { text in
      let parts = text.split(separator: "\t").map(String.init)
      guard parts.count == 3, let reference = try? ImageReference(parts[1]),
        let digest = try? Digest(parts[2])
      else { return nil }
      return (parts[0], reference, digest)
    }
  }
}
