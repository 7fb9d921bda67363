import Bundle
import Concurrency
import Files
import SystemPackage

extension ImagePush {
  /// Pushes archives that others have made, one after the other: those of images, and collections of them.
  ///
  /// - Parameters:
  ///   - archives: The archives; one that is named twice is pushed once.
  ///   - storage: The storage folder of the registry, where they are put straight into it as by ``seed(_:into:)``; `nil`
  ///     sends them over HTTP.
  /// - Returns: What became of each image. One archive's failure does not stop the others.
  /// - Throws: ``RegistryError`` when the registry cannot be asked at all; `CancellationError`.
  public func push(given archives: [FilePath], into storage: FilePath?) async throws -> [PushResult] {
    var results: [PushResult] = []
    var seen: Set<FilePath> = []
    for archive in archives where seen.insert(archive).inserted {
      do {
        results += try await bring(archive, storage)
      } catch let error as CancellationError {
        throw error
      } catch let error as RegistryError {
        // The next one would fail the same way.
        guard !results.isEmpty else { throw error }
        results.append(failed(archive, error))
        break
      } catch {
        results.append(failed(archive, error))
      }
    }
    return results
  }

  private func bring(_ archive: FilePath, _ storage: FilePath?) async throws -> [PushResult] {
    if let collection = try await offload({ () throws in try ImageCollection(archive) }) {
      return try await push(collection, into: storage)
    }
    guard let storage else { return try await push([archive]) }
    return try await seed([archive], into: storage)
  }
}
