import Dispatch

/// Runs work that waits for the disk or keeps a core busy on a thread of its own kind, so that it does not hold
/// one of the few threads on which all other tasks make progress.
///
/// - Throws: What `work` throws.
public func offload<T: Sendable, E: Error>(
  _ work: @escaping @Sendable () throws(E) -> T
) async throws(E) -> T {
  let result: Result<T, E> = await withCheckedContinuation { continuation in
    DispatchQueue.global().async {
      do throws(E) {
        continuation.resume(returning: .success(try work()))
      } catch {
        continuation.resume(returning: .failure(error))
      }
    }
  }
  return try result.get()
}
