extension Result where Failure == any Error {
  /// What work that may wait returned or threw.
  public init(_ work: () async throws -> Success, isolation: isolated (any Actor)? = #isolation) async {
    do {
      self = .success(try await work())
    } catch {
      self = .failure(error)
    }
  }
}
