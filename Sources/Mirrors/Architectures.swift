import Host

extension [Architecture] {
  /// Their names for people: `amd64 and arm64`.
  var names: String { map(\.rawValue).joined(separator: " and ") }

  /// What the work gives for each, side by side, in this order.
  ///
  /// - Parameters:
  ///   - say: Where the work tells what it does; with several, each line begins with its architecture.
  /// - Throws: What the work threw; with several, ``ArchitecturesFailed`` with all of them.
  func concurrently<Value: Sendable>(
    _ say: @escaping @Sendable (String) -> Void,
    _ work: @escaping @Sendable (Architecture, @escaping @Sendable (String) -> Void) async throws -> Value
  ) async throws -> [Value] {
    guard count > 1 else {
      var values: [Value] = []
      for architecture in self { values.append(try await work(architecture, say)) }
      return values
    }
    var values: [Architecture: Value] = [:]
    var errors: [Architecture: any Error] = [:]
    await withTaskGroup(of: (Architecture, Result<Value, any Error>).self) { group in
      for architecture in self {
        group.addTask {
          do {
            return (
              architecture, .success(try await work(architecture) { say("\(architecture.rawValue): \($0)") })
            )
          } catch {
            return (architecture, .failure(error))
          }
        }
      }
      for await (architecture, result) in group {
        switch result {
        case .success(let value): values[architecture] = value
        case .failure(let error): errors[architecture] = error
        }
      }
    }
    try Task.checkCancellation()
    guard errors.isEmpty else {
      throw ArchitecturesFailed(
        errors: compactMap { architecture in errors[architecture].map { (architecture.rawValue, $0) } })
    }
    return compactMap { values[$0] }
  }
}

/// What went wrong for some architectures of several.
public struct ArchitecturesFailed: Error, CustomStringConvertible {
  /// What went wrong for each of them.
  public let errors: [(architecture: String, error: any Error)]

  /// The errors, one a line.
  public var description: String {
    errors.map { "\($0.architecture): \($0.error)" }.joined(separator: "\n")
  }
}
